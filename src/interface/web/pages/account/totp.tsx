/** Codes of an authenticator app, turned on with the first one. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, lazy, Suspense, useState } from "react";
import { answer, POST, PUT } from "../../api/client.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Field } from "../../parts/field.tsx";
import { PasswordAgain } from "../../parts/password-again.tsx";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { tell } from "../../parts/toast.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { accountKey } from "./account-key.ts";

const QrCode = lazy(async () => ({ default: (await import("../../parts/qr-code.tsx")).QrCode }));

/** In groups of four, as people type it. */
const grouped = (secret: string): string => secret.replaceAll(/.{4}(?=.)/g, "$& ");

export function Totp({ hasTotp, hasPassword }: { readonly hasTotp: boolean; readonly hasPassword: boolean }) {
  const { account: t } = useTexts();
  const client = useQueryClient();
  const [offered, setOffered] = useState<{ readonly uri: string; readonly pending: string }>();
  const proof = (password: string) => (hasPassword ? { password } : {});
  const done = async (text: string) => {
    setOffered(undefined);
    tell(text);
    await client.invalidateQueries({ queryKey: accountKey });
  };
  const offer = useMutation({
    mutationFn: (password: string) => answer(POST("/api/account/totp/offer", { body: proof(password) })),
    onSuccess: setOffered,
  });
  const turnOn = useMutation({
    mutationFn: (code: string) =>
      answer(PUT("/api/account/totp", { body: { pending: offered!.pending, code } })),
    onSuccess: () => done(t.totpIsOn),
  });
  const turnOff = useMutation({
    mutationFn: (password: string) => answer(POST("/api/account/totp/remove", { body: proof(password) })),
    onSuccess: () => done(t.totpIsOff),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "");
    if (offered) turnOn.mutate(text("code").replaceAll(/\s/g, ""));
    else (hasTotp ? turnOff : offer).mutate(text("password"));
  };
  const secret = offered && new URL(offered.uri).searchParams.get("secret");
  const error = turnOn.error ?? offer.error ?? turnOff.error;
  const fault = faultOf(error, "password") ?? faultOf(error, "code");
  return (
    <section className="card account-part">
      <h2>{t.totp}</h2>
      <p className="hint">{hasTotp ? t.totpOn : t.totpHint}</p>
      <form onSubmit={submit}>
        {offered && secret ? (
          <>
            <p>{t.totpScan}</p>
            <Suspense>
              <QrCode text={offered.uri} label={t.totpPicture} />
            </Suspense>
            <p>{t.totpSecret}</p>
            <p className="copyable">
              <code className="secret">{grouped(secret)}</code> <CopyButton text={secret} what={t.secret} />
            </p>
            <p className="copyable">
              <a href={offered.uri}>{t.totpLink}</a> <CopyButton text={offered.uri} what={t.totpUri} />
            </p>
            <Field
              label={t.totpCode}
              name="code"
              inputMode="numeric"
              autoComplete="one-time-code"
              required
              fault={fault}
            />
          </>
        ) : (
          hasPassword && <PasswordAgain error={error} />
        )}
        {!fault && <Problem error={error} />}
        <button type="submit" disabled={offer.isPending || turnOn.isPending || turnOff.isPending}>
          {offered ? t.totpConfirm : hasTotp ? t.totpTurnOff : t.totpTurnOn}
        </button>
      </form>
    </section>
  );
}
