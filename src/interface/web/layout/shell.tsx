/** What is around every page. */
import { Outlet } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useSessionOver } from "../api/session-end.ts";
import { Loading } from "../parts/busy.tsx";
import { Toasts } from "../parts/toast.tsx";
import { useTexts } from "../texts/texts.tsx";
import {
  chooseLanguage,
  chooseTheme,
  LANGUAGES,
  type Language,
  THEMES,
  type Theme,
  useLanguage,
  useTheme,
} from "./choice.ts";
import { ConnectionBanner } from "./connection-banner.tsx";
import { MenuBar } from "./menu-bar.tsx";

const SessionOver = lazy(async () => ({ default: (await import("./session-over.tsx")).SessionOver }));

export function Shell() {
  const isOver = useSessionOver();
  const { app } = useTexts();
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads there without a new address */}
      <a
        href="#main"
        className="skip"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        {app.skip}
      </a>
      <MenuBar />
      <ConnectionBanner />
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
      {isOver && (
        <Suspense>
          <SessionOver />
        </Suspense>
      )}
      <Foot />
      <Toasts />
    </>
  );
}

function Foot() {
  const { app, theme: t } = useTexts();
  const theme = useTheme();
  const language = useLanguage();
  return (
    <footer className="foot">
      <div className="foot-inside">
        <label>
          {t.label}{" "}
          <select value={theme} onChange={({ target }) => chooseTheme(target.value as Theme)}>
            {THEMES.map((each) => (
              <option key={each} value={each}>
                {t[each]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {app.language}{" "}
          <select value={language} onChange={({ target }) => chooseLanguage(target.value as Language)}>
            {LANGUAGES.map((each) => (
              <option key={each} value={each} lang={each}>
                {app.languages[each]}
              </option>
            ))}
          </select>
        </label>
        <a href="/api/docs">{app.api}</a>
      </div>
    </footer>
  );
}
