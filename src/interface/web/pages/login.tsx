/** Coming in: password and code, a passkey, or another's word for it. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { POST } from "../api/client.ts";
import { loginWaysQuery } from "../api/login-ways.ts";
import { sessionQuery } from "../api/session.ts";
import { Page } from "../parts/page.tsx";
import { useTexts } from "../texts/texts.tsx";
import { LoginForm, useNeedsCode } from "./login-form.tsx";
import "../style/entrance.css";

const route = getRouteApi("/login");

export function LoginPage() {
  const { login: t } = useTexts();
  const { to, ended, refused } = route.useSearch();
  const navigate = useNavigate();
  const session = useQuery(sessionQuery);
  const ways = useQuery(loginWaysQuery);
  const needsCode = useNeedsCode();

  const isIn = session.data?.isComplete === true;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once who is in is known
  useEffect(() => {
    if (isIn) void navigate({ to: to ?? "/", replace: true });
  }, [isIn]);

  const lead = needsCode ? t.codeLead : ended ? t.ended : undefined;
  return (
    <Page title={t.title} lead={lead} width="narrow">
      {ways.data?.isSetupOpen && <p className="note">{t.setupOpen}</p>}
      {refused && !needsCode && (
        <p className="note note-warning" role="alert">
          {t.refused}
        </p>
      )}
      <LoginForm onIn={() => {}} to={to} />
      {ways.data?.isSetupOpen === false && (
        <p className="hint">
          {t.forgotten} <code>zonepost user reset</code>
        </p>
      )}
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
