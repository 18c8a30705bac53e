/** A bounce, a line of a mail server's log, or the header of a message that arrived: pasted, and read. */

import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { answer, POST } from "../../api/client.ts";
import { mayChange, useSession } from "../../api/session.ts";
import type { Bounce, JudgedHeaders } from "../../api/tools.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { TextField } from "../../parts/field.tsx";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { Reference } from "../../parts/reference.tsx";
import { SeverityShape } from "../../parts/severity.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { PlainFindingCard } from "../domain/finding-card.tsx";

type Read =
  | { readonly kind: "bounce"; readonly bounce: Bounce }
  | { readonly kind: "header"; readonly header: JudgedHeaders };

/** A bounce may quote the header of the mail that it is about; its own words count then. */
const isHeader = (text: string): boolean =>
  /^authentication-results\s*:/im.test(text) &&
  !/^(?:diagnostic-code|status|final-recipient)\s*:/im.test(text);

export function Pasted() {
  const { troubleshoot: t } = useTexts();
  const read = useMutation({
    mutationFn: async (text: string): Promise<Read> =>
      isHeader(text)
        ? { kind: "header", header: await answer(POST("/api/headers", { body: { text } })) }
        : { kind: "bounce", bounce: await answer(POST("/api/bounce", { body: { text } })) },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    read.mutate(String(new FormData(event.currentTarget).get("text")));
  };
  const fault = faultOf(read.error, "text");
  return (
    <section className="card tool">
      <h2>{t.pasted}</h2>
      <form onSubmit={submit}>
        <TextField label={t.text} hint={t.textHint} name="text" rows={6} required fault={fault} />
        {!fault && <Problem error={read.error} />}
        <button type="submit" className="primary" disabled={read.isPending}>
          {t.read}
        </button>
      </form>
      {read.data?.kind === "bounce" && <BounceRead bounce={read.data.bounce} />}
      {read.data?.kind === "header" && <HeaderRead header={read.data.header} />}
    </section>
  );
}

function BounceRead({ bounce }: { readonly bounce: Bounce }) {
  const { troubleshoot: t } = useTexts();
  const { replyCode, enhancedCode, lasts, host, provider, address, words, meaning, reference } = bounce;
  const { advice, isHarmless, isChecked, known, domain, see } = bounce;
  const codes = [replyCode, enhancedCode].filter((code) => code !== null).join(" ");
  const who = [provider, host].filter(Boolean).join(" · ");
  return (
    <div className="diagnosis" role="status">
      <p className="bounce-meaning" lang="en">
        {meaning} <Reference text={reference} />
      </p>
      {advice && (
        <div className="fix">
          <p className="fix-title">{isHarmless ? t.harmless : t.advice}</p>
          <p lang="en">{advice}</p>
        </div>
      )}
      <dl className="seen">
        {(
          [
            [t.code, codes],
            [t.saidBy, who],
            [t.lasts, lasts === "unknown" ? "" : t.lastsFor[lasts]],
            [t.address, address],
          ] as const
        ).map(
          ([label, value]) =>
            value && (
              <div key={label} className="seen-row">
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
        <div className="seen-row">
          <dt>{t.words}</dt>
          <dd>
            <pre lang="en">{words}</pre>
          </dd>
        </div>
      </dl>
      {see.map((command) => (
        <p key={command} className="copyable">
          <code>{command}</code> <CopyButton text={command} what={t.command} />
        </p>
      ))}
      {isChecked && domain && !known && <p className="hint">{t.notYours(domain)}</p>}
      {isChecked && !domain && <p className="hint">{t.noDomain}</p>}
      {isChecked && domain && known && (
        <>
          <h3>{t.shows(domain)}</h3>
          <p className="hint">
            {known.checkedAt ? (
              <>
                {t.checked} <When at={known.checkedAt} show="both" />
              </>
            ) : (
              t.neverChecked
            )}
          </p>
          {known.checkedAt && known.findings.length === 0 && <p className="note note-ok">{t.showsNothing}</p>}
          {known.findings.map((finding) => (
            <PlainFindingCard key={`${finding.code} ${finding.owner}`} finding={finding} />
          ))}
          <p>
            <Link to="/domains/$domain" params={{ domain }} search={{}}>
              {t.toDomain(domain)}
            </Link>
          </p>
        </>
      )}
    </div>
  );
}

function HeaderRead({ header: { domain, judgements } }: { readonly header: JudgedHeaders }) {
  const { troubleshoot: t } = useTexts();
  const session = useSession();
  const bad = judgements.filter(({ symptom }) => symptom !== null);
  return (
    <div className="diagnosis" role="status">
      <p className={`note ${bad.length > 0 ? "note-warning" : "note-ok"}`}>
        {bad.length > 0 ? t.headerBad : t.headerGood}
      </p>
      <ul className="steps">
        {judgements.map(({ by, method, result, detail, domain: about, symptom }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two may be the same, and none ever moves
          <li key={at} className="step">
            <SeverityShape severity={symptom ? "warning" : result === "pass" ? "ok" : "unchecked"} />
            <span>
              <strong lang="en">
                {method}={result}
              </strong>{" "}
              {about}{" "}
              <span className="hint">
                {t.by(by)}
                {detail && <span lang="en">: {detail}</span>}
              </span>
            </span>
            {symptom && (about ?? domain) && mayChange(session) && (
              <Link
                to="/troubleshoot"
                search={{ domain: about ?? domain ?? "", symptom }}
                className="button"
                aria-label={`${t.findCause}: ${method}`}
              >
                {t.findCause}
              </Link>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
