/** The records that should exist: why, how much they matter, in the fields of a form, and who has them by now. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, POST } from "../../api/client.ts";
import { type DomainRecord, type Finding, recordsQuery } from "../../api/domains.ts";
import { readSteps, useJob } from "../../api/job.ts";
import { mayChange, useSession } from "../../api/session.ts";
import { Busy, Loading } from "../../parts/busy.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Problem } from "../../parts/problem.tsx";
import { Reference } from "../../parts/reference.tsx";
import { type Severity, SeverityShape } from "../../parts/severity.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { RecordFields, usualFields } from "./record-fields.tsx";

const CREATORS = ["you", "zone-owner", "address-owner"] as const;

export interface SeenRow {
  readonly from: string;
  readonly kind: "name server" | "resolver";
  readonly records: readonly string[];
  readonly detail: string;
  readonly ttlSeconds: number | null;
  readonly mayBeCachedUntil: string | null;
  readonly hasWanted: "yes" | "no" | "unknown" | null;
}

interface Seen {
  readonly owner: string;
  readonly type: string;
  readonly answers: readonly SeenRow[];
}

interface RecordsProps {
  readonly domain: string;
  readonly findings: readonly Finding[];
  /** The DNS host in whose form they are shown, as chosen; empty for the usual form. */
  readonly chosenHost: string | undefined;
  readonly onHost: (host: string) => void;
}

export function Records({ domain, findings, chosenHost, onHost }: RecordsProps) {
  const { records: t } = useTexts();
  const session = useSession();
  // Where a check has recognised who hosts the zone, its form comes first.
  const recognized = findings.flatMap(({ fix }) => fix?.changes ?? []).find(({ host }) => host)?.host?.id;
  const host = chosenHost ?? recognized;
  const list = useQuery(recordsQuery(domain, host));
  const [jobId, setJobId] = useState<string>();
  const job = useJob(jobId);
  const look = useMutation({
    mutationFn: () => answer(POST("/api/domains/{domain}/look", { params: { path: { domain } } })),
    onSuccess: ({ job: id }) => setJobId(id),
  });
  const seen = job?.state === "done" ? (job.result as { seen: readonly Seen[] }).seen : undefined;
  if (list.isPending) return <Loading />;
  if (list.data === undefined) return <Problem error={list.error} onRetry={() => void list.refetch()} />;
  const { records, files, notes, hosts } = list.data;
  const isLooking = look.isPending || job?.state === "running";
  const all = records.filter(({ creator }) => creator === "you").map(({ zoneText }) => zoneText);
  return (
    <section className="records" aria-label={t.title}>
      <div className="records-head">
        <label>
          {t.host}{" "}
          <select value={host ?? ""} onChange={({ target }) => onHost(target.value)}>
            <option value="">{t.usualForm}</option>
            {hosts.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <div className="actions">
          {all.length > 0 && <CopyButton text={`${all.join("\n")}\n`} what={t.allLines} isNamed />}
          {mayChange(session) && (
            <button type="button" disabled={isLooking} onClick={() => look.mutate()}>
              {t.look}
            </button>
          )}
        </div>
      </div>
      {isLooking && <Busy text={t.looking} progress={readSteps(job?.progress)} />}
      <Problem error={look.error} />
      {job?.state === "gone" && (
        <p className="hint" role="status">
          {t.lookGone}
        </p>
      )}
      {job?.state === "failed" && (
        <p className="fault" role="alert" lang="en">
          {(job.result as { what?: string } | null)?.what}
        </p>
      )}
      {CREATORS.map((creator) => {
        const own = records.filter((each) => each.creator === creator);
        if (own.length === 0) return null;
        return (
          <div key={creator} className="records-group">
            <h2>{t.creator[creator]}</h2>
            <p className="hint">{t.creatorHint[creator]}</p>
            {own.map((record) => (
              <RecordItem
                key={record.zoneText}
                record={record}
                rows={
                  seen?.find(({ owner, type }) => owner === record.owner && type === record.type)?.answers
                }
              />
            ))}
          </div>
        );
      })}
      {files.map(({ url, content }) => (
        <div key={url} className="records-group">
          <h2>{t.file}</h2>
          <p>
            <code>{url}</code>
          </p>
          <pre className="block">{content}</pre>
          <CopyButton text={content} what={t.file} />
        </div>
      ))}
      {notes.length > 0 && (
        <ul className="hint notes" lang="en">
          {notes.map(({ about, text }) => (
            <li key={`${about} ${text}`}>
              {about}: {text}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function RecordItem({
  record,
  rows,
}: {
  readonly record: DomainRecord;
  readonly rows: readonly SeenRow[] | undefined;
}) {
  const { records: t } = useTexts();
  const { type, owner, value, importance, reason, reference, caution, see, request } = record;
  return (
    <details className="record">
      <summary>
        <span className="record-type">{type}</span>
        <span className="record-owner">{owner}</span>
        <code className="record-value">{value}</code>
        <span className={`importance importance-${importance}`}>{t.importance[importance]}</span>
        {rows && <Visible rows={rows} />}
      </summary>
      <div className="record-more">
        <p lang="en">
          {reason} <Reference text={reference} />
        </p>
        {caution && (
          <p className="note note-warning" lang="en">
            {caution}
          </p>
        )}
        {record.cannotStore && (
          <p className="note note-warning" lang="en">
            {record.cannotStore}
          </p>
        )}
        <RecordFields fields={record.host ?? usualFields(record.form)} zoneText={record.zoneText} />
        {request && (
          <>
            <pre className="block" lang="en">
              {request}
            </pre>
            <CopyButton text={request} what={t.request} />
          </>
        )}
        {rows && <SeenTable rows={rows} />}
        <p className="copyable">
          <code>{see.dig}</code> <CopyButton text={see.dig} what={t.command} />
        </p>
      </div>
    </details>
  );
}

const SEVERITY_OF: Readonly<Record<"yes" | "no" | "unknown", Severity>> = {
  yes: "ok",
  no: "error",
  unknown: "unknown",
};

function Visible({ rows }: { readonly rows: readonly SeenRow[] }) {
  const { records: t } = useTexts();
  const arrival = rows.some(({ hasWanted }) => hasWanted === "no")
    ? "no"
    : rows.length > 0 && rows.every(({ hasWanted }) => hasWanted === "yes")
      ? "yes"
      : "unknown";
  return (
    <span className="record-visible">
      <SeverityShape severity={SEVERITY_OF[arrival]} />
      {t.visible[arrival]}
    </span>
  );
}

function SeenTable({ rows }: { readonly rows: readonly SeenRow[] }) {
  const { records: t } = useTexts();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section className="scroll" aria-label={t.seen} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t.server}</th>
            <th scope="col">{t.answer}</th>
            <th scope="col">{t.cached}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ from, kind, records, detail, hasWanted, mayBeCachedUntil }) => (
            <tr key={from}>
              <th scope="row">
                {from}
                <span className="hint"> {t.kind[kind]}</span>
              </th>
              <td>
                <span className="record-visible">
                  <SeverityShape severity={SEVERITY_OF[hasWanted ?? "unknown"]} />
                  {t.visible[hasWanted ?? "unknown"]}
                </span>
                {hasWanted !== "yes" && (
                  <code className="hint" lang="en">
                    {records.join("\n") || detail}
                  </code>
                )}
              </td>
              <td>{mayBeCachedUntil ? <When at={mayBeCachedUntil} show="both" /> : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
