/** The password once more, where an open screen is not enough. */
import { useTexts } from "../texts/texts.tsx";
import { Field } from "./field.tsx";
import { faultOf } from "./problem.tsx";

/** `error`: what the server has said to the form. */
export function PasswordAgain({ error }: { readonly error: unknown }) {
  const { account: t } = useTexts();
  return (
    <Field
      label={t.oldPassword}
      name="password"
      type="password"
      autoComplete="current-password"
      required
      fault={faultOf(error, "password")}
    />
  );
}
