/** The password once more, where an open screen is not enough. */
import { useTexts } from "../texts/texts.tsx";
import { Field } from "./field.tsx";
import { faultOf } from "./problem.tsx";

interface PasswordAgainProps {
  /** What the server has said to the form. */
  readonly error: unknown;
  readonly name?: string;
  readonly label?: string;
}

export function PasswordAgain({ error, name = "password", label }: PasswordAgainProps) {
  const { account: t } = useTexts();
  return (
    <Field
      label={label ?? t.oldPassword}
      name={name}
      type="password"
      autoComplete="current-password"
      required
      fault={faultOf(error, name)}
    />
  );
}
