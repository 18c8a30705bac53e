/** The session has ended: coming in again above the page, which keeps all that was typed into it. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { answer, GET } from "../api/client.ts";
import { begin, type Session, useSession } from "../api/session.ts";
import { sessionOver } from "../api/session-end.ts";
import { LoginForm } from "../pages/login-form.tsx";
import { tell } from "../parts/toast.tsx";
import { useTexts } from "../texts/texts.tsx";
import "../style/entrance.css";

export function SessionOver() {
  const { login: t } = useTexts();
  const client = useQueryClient();
  const session = useSession();
  const ref = useRef<HTMLDialogElement>(null);
  // Who was here when it ended: what stands on the page is theirs alone.
  const before = useRef(session?.user);
  const goOn = ({ user, isComplete }: Session) => {
    if (!isComplete) return;
    if (user.id !== before.current?.id) return window.location.assign("/");
    // Gives the focus back to where it was.
    ref.current?.close();
    sessionOver(false);
    tell(t.backIn);
    void client.refetchQueries({ type: "active" });
  };
  const come = useRef(goOn);
  come.current = goOn;
  useEffect(() => {
    ref.current?.showModal();
    // Another tab, or the one of a provider, may have logged in meanwhile.
    const look = async () => {
      const found = await answer(GET("/api/session")).catch(() => undefined);
      if (found?.isComplete) come.current(await begin(client, found.csrfToken));
    };
    window.addEventListener("focus", look);
    return () => window.removeEventListener("focus", look);
  }, [client]);
  return (
    <dialog
      ref={ref}
      className="session-over"
      aria-labelledby="session-over"
      onCancel={(event) => event.preventDefault()}
      onKeyDown={(event) => event.key === "Escape" && event.preventDefault()}
    >
      <h2 id="session-over">{t.overTitle}</h2>
      <p>{t.overLead}</p>
      <LoginForm name={before.current?.name} isAbove onIn={goOn} />
    </dialog>
  );
}
