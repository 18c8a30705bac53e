/** Copies a text, and says that it did. */
import { useEffect, useState } from "react";
import { useTexts } from "../texts/texts.tsx";

const SHOWN_MILLISECONDS = 2000;

/** `what` names it for who does not see what stands beside the button. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const { copy: t } = useTexts();
  const [state, setState] = useState<"ready" | "copied" | "refused">("ready");
  useEffect(() => {
    if (state === "ready") return;
    const timer = window.setTimeout(() => setState("ready"), SHOWN_MILLISECONDS);
    return () => window.clearTimeout(timer);
  }, [state]);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setState("copied"),
      () => setState("refused"),
    );
  return (
    <button
      type="button"
      className={`copy copy-${state}`}
      aria-label={state === "ready" ? t.label(what) : t[state]}
      onClick={copy}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {state === "copied" ? (
          <path d="M3 8.5l3.2 3.2L13 4.5" />
        ) : (
          <path d="M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z" />
        )}
      </svg>
      <span aria-hidden="true">{t[state]}</span>
      <span className="unseen" role="status">
        {state === "ready" ? "" : t[state]}
      </span>
    </button>
  );
}
