/** Quiet words while the server does not answer. */
import { useConnection } from "../api/connection.ts";
import { useTexts } from "../texts/texts.tsx";

export function ConnectionBanner() {
  const { connection: t } = useTexts();
  const state = useConnection();
  return (
    <div className="connection" role="status" data-state={state}>
      {state !== "here" && <p>{t[state]}</p>}
    </div>
  );
}
