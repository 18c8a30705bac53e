/** Password and code, a passkey, or another's word. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answer, POST } from "../api/client.ts";
import { loginWaysQuery, providerAddress } from "../api/login-ways.ts";
import { logInWithPasskey } from "../api/passkey.ts";
import { begin, type Session, sessionQuery } from "../api/session.ts";
import { Field } from "../parts/field.tsx";
import { Problem } from "../parts/problem.tsx";
import { useTexts } from "../texts/texts.tsx";

interface LoginFormProps {
  readonly onIn: (session: Session) => void;
  /** Who is expected. */
  readonly name?: string | undefined;
  /** Above a page that must not be left. */
  readonly isAbove?: boolean;
  /** The page that an identity provider sends the browser back to. */
  readonly to?: string | undefined;
}

/** Whether the password was right, and a code is asked for. */
export function useNeedsCode(): boolean {
  return useQuery(sessionQuery).data?.isComplete === false;
}

export function LoginForm({ onIn, name, isAbove = false, to }: LoginFormProps) {
  const { login: t } = useTexts();
  const client = useQueryClient();
  const ways = useQuery(loginWaysQuery);
  const [isHalf, setHalf] = useState(false);
  const needsCode = useNeedsCode() || isHalf;
  const come = useMutation({
    mutationFn: async (step: () => Promise<{ status: "in" | "second-factor"; csrfToken: string }>) => {
      const { status, csrfToken } = await step();
      const session = await begin(client, csrfToken);
      setHalf(status === "second-factor");
      return session;
    },
    onSuccess: (session) => session.isComplete && onIn(session),
  });
  const passkey = () => come.mutate(logInWithPasskey);
  const leaveForProvider = useMutation({
    mutationFn: () => providerAddress(to),
    onSuccess: (url) => {
      if (isAbove) window.open(url, "_blank", "noopener");
      else window.location.assign(url);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (field: string) => String(form.get(field));
    come.mutate(() =>
      needsCode
        ? answer(POST("/api/login/code", { body: { code: text("code").replaceAll(/\s/g, "") } }))
        : answer(POST("/api/login", { body: { name: text("name"), password: text("password") } })),
    );
  };
  const isBusy = come.isPending || leaveForProvider.isPending;
  return (
    <form className={isAbove ? "entrance" : "card entrance"} onSubmit={submit}>
      {needsCode ? (
        <Field
          key="code"
          label={t.code}
          hint={t.codeHint}
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          required
          minLength={6}
          maxLength={20}
          autoFocus
        />
      ) : (
        <>
          <Field
            label={t.name}
            name="name"
            defaultValue={name}
            autoComplete="username"
            autoCapitalize="none"
            required
            maxLength={200}
          />
          <Field
            label={t.password}
            name="password"
            type="password"
            autoComplete="current-password"
            required
            maxLength={1024}
            autoFocus={isAbove}
          />
        </>
      )}
      <Problem error={come.error ?? leaveForProvider.error} />
      <button type="submit" className="primary" disabled={isBusy}>
        {needsCode ? t.sendCode : t.logIn}
      </button>
      {!needsCode && ways.data?.hasPasskeys && "PublicKeyCredential" in window && (
        <button type="button" onClick={passkey} disabled={isBusy}>
          {t.passkey}
        </button>
      )}
      {!needsCode && ways.data?.provider && (
        <button type="button" onClick={() => leaveForProvider.mutate()} disabled={isBusy}>
          {ways.data.provider.title}
        </button>
      )}
      {isAbove && leaveForProvider.isSuccess && <p className="hint">{t.elsewhere}</p>}
    </form>
  );
}
