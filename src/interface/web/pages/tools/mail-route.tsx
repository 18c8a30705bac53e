/** The way that a mail to an address would go. */
import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { answer, POST } from "../../api/client.ts";
import { useJob } from "../../api/job.ts";
import { mayChange, useSession } from "../../api/session.ts";
import type { MailRoute } from "../../api/tools.ts";
import { Busy } from "../../parts/busy.tsx";
import { Field } from "../../parts/field.tsx";
import { Page } from "../../parts/page.tsx";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { SeverityShape } from "../../parts/severity.tsx";
import { useTexts } from "../../texts/texts.tsx";
import "../../style/tools.css";

export function MailRoutePage() {
  const { mailRoute: t } = useTexts();
  const session = useSession();
  return (
    <Page title={t.title} lead={t.lead}>
      {mayChange(session) ? <Ask /> : <p className="note">{t.readerHint}</p>}
    </Page>
  );
}

function Ask() {
  const { mailRoute: t } = useTexts();
  const begin = useMutation({
    mutationFn: (address: string) => answer(POST("/api/route", { body: { address } })),
  });
  const job = useJob(begin.data?.job);
  const isUnderWay = begin.isPending || job?.state === "running";
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    begin.mutate(String(new FormData(event.currentTarget).get("address")).trim());
  };
  const fault = faultOf(begin.error, "address");
  const failure = job?.state === "failed" ? (job.result as { what?: string }).what : undefined;
  return (
    <section className="card tool">
      <form onSubmit={submit}>
        <Field
          label={t.address}
          hint={t.hint}
          name="address"
          type="text"
          inputMode="email"
          autoCapitalize="none"
          spellCheck={false}
          autoComplete="off"
          required
          placeholder="bob@example.org"
          fault={fault}
        />
        {!fault && <Problem error={begin.error} />}
        <button type="submit" className="primary" disabled={isUnderWay}>
          {t.begin}
        </button>
      </form>
      {isUnderWay && <Busy text={t.looking} />}
      {job?.state === "gone" && <p className="hint">{t.gone}</p>}
      {failure && (
        <p className="fault" role="alert" lang="en">
          {failure}
        </p>
      )}
      {job?.state === "done" && <Found route={job.result as MailRoute} />}
    </section>
  );
}

const SHAPES = { takes: "ok", skipped: "warning", refuses: "error", untold: "unknown" } as const;
const NOTES = {
  delivered: "note-ok",
  deferred: "note-warning",
  refused: "note-warning",
  unknown: "",
} as const;

function Found({ route: { address, by, mode, hops, verdict, sentence } }: { readonly route: MailRoute }) {
  const { mailRoute: t } = useTexts();
  return (
    <div className="diagnosis" role="status">
      <h2>
        {address.localPart}@{address.domain}
      </h2>
      <p className={`note ${NOTES[verdict]}`} lang="en">
        {sentence}
      </p>
      <p className="hint">
        {t.by[by]}
        {mode && ` · ${t.mode(mode)}`}
      </p>
      {hops.length > 0 && (
        <ol className="hops">
          {hops.map(({ host, preference, at, tls, outcome, because }) => (
            <li key={`${host} ${at}`} className={`hop hop-${outcome}`}>
              <SeverityShape severity={SHAPES[outcome]} />
              <div>
                <p>
                  <strong>{host}</strong> {at !== host && <code>{at}</code>}
                </p>
                <p>
                  {t.outcomes[outcome]}: <span lang="en">{because}</span>
                </p>
                <p className="hint">
                  {preference !== undefined && `${t.preference} ${preference} · `}
                  {t.tls[tls]}
                </p>
              </div>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
