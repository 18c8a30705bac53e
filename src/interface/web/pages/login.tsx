/** Coming in: password and code, a passkey, or another's word for it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { answer, GET, POST } from "../api/client.ts";
import { begin, sessionQuery } from "../api/session.ts";
import { Field } from "../parts/field.tsx";
import { Page } from "../parts/page.tsx";
import { Problem } from "../parts/problem.tsx";
import { useTexts } from "../texts/texts.tsx";
import "../style/entrance.css";

const route = getRouteApi("/login");

export function LoginPage() {
  const { login: t } = useTexts();
  const { to, ended } = route.useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const session = useQuery(sessionQuery);
  const ways = useQuery({ queryKey: ["login ways"], queryFn: () => answer(GET("/api/login")) });
  const [isHalf, setHalf] = useState(false);
  const needsCode = isHalf || session.data?.isComplete === false;

  const goOn = () => navigate({ to: to ?? "/", replace: true });
  const isIn = session.data?.isComplete === true;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once who is in is known
  useEffect(() => {
    if (isIn) void goOn();
  }, [isIn]);

  const come = useMutation({
    mutationFn: async (step: () => Promise<{ status: "in" | "second-factor"; csrfToken: string }>) => {
      const { status, csrfToken } = await step();
      await begin(client, csrfToken);
      setHalf(status === "second-factor");
    },
  });
  const passkey = () =>
    come.mutate(async () => {
      const [{ startAuthentication }, offer] = await Promise.all([
        import("@simplewebauthn/browser"),
        answer(POST("/api/login/passkey/offer")),
      ]);
      const proof = await startAuthentication({ optionsJSON: offer });
      return answer(POST("/api/login/passkey", { body: { answer: { ...proof } } }));
    });
  const leaveForProvider = useMutation({
    mutationFn: () => answer(POST("/api/login/provider")),
    onSuccess: ({ url }) => window.location.assign(url),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name));
    come.mutate(() =>
      needsCode
        ? answer(POST("/api/login/code", { body: { code: text("code").replaceAll(/\s/g, "") } }))
        : answer(POST("/api/login", { body: { name: text("name"), password: text("password") } })),
    );
  };
  const lead = needsCode ? t.codeLead : ended ? t.ended : undefined;
  const isBusy = come.isPending || leaveForProvider.isPending;
  return (
    <Page title={t.title} lead={lead} width="narrow">
      {ways.data?.isSetupOpen && <p className="note">{t.setupOpen}</p>}
      <form className="card entrance" onSubmit={submit}>
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
      </form>
      {ways.data?.isSetupOpen === false && <p className="hint">{t.forgotten}</p>}
      {needsCode && (
        <p>
          <Link to="/login" reloadDocument onClick={() => void POST("/api/logout")}>
            {t.other}
          </Link>
        </p>
      )}
    </Page>
  );
}
