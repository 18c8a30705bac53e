/** The password once more, above the page, for what is begun by a button. */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useRef } from "react";
import { useTexts } from "../texts/texts.tsx";
import { PasswordAgain } from "./password-again.tsx";
import { faultOf } from "./problem.tsx";

export interface Asking {
  /** What will be done, as its button says it. */
  readonly title: string;
  readonly hint?: string | undefined;
  /** Whoever asks says what else goes wrong. */
  readonly act: (ownPassword: string) => Promise<unknown>;
}

interface PasswordDialogProps {
  readonly asking: Asking;
  readonly onEnd: () => void;
}

export function PasswordDialog({ asking: { title, hint, act }, onEnd }: PasswordDialogProps) {
  const { passwordDialog: t } = useTexts();
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => ref.current?.showModal(), []);
  const close = () => ref.current?.close();
  const send = useMutation({
    mutationFn: act,
    onSuccess: close,
    onError: (error) => {
      if (faultOf(error, "ownPassword") === undefined) close();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    send.mutate(String(new FormData(event.currentTarget).get("ownPassword")));
  };
  return (
    <dialog ref={ref} className="password-dialog" aria-labelledby={titleId} onClose={onEnd}>
      <h2 id={titleId}>{title}</h2>
      {hint && <p>{hint}</p>}
      <form className="stack" onSubmit={submit}>
        <PasswordAgain error={send.error} name="ownPassword" label={t.own} />
        <div className="actions">
          <button type="submit" className="primary" disabled={send.isPending}>
            {t.goOn}
          </button>
          <button type="button" onClick={close}>
            {t.cancel}
          </button>
        </div>
      </form>
    </dialog>
  );
}
