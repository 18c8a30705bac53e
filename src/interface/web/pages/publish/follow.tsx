/** An apply or an undo while it happens, and what has come of it at every name server. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { answer, GET } from "../../api/client.ts";
import { useJob } from "../../api/job.ts";
import { Busy } from "../../parts/busy.tsx";
import { focusHeading } from "../../parts/focus.ts";
import { type Severity, SeverityShape } from "../../parts/severity.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";
import { useTexts } from "../../texts/texts.tsx";

type Progress =
  | { readonly kind: "wait"; readonly seconds: number; readonly reason: string }
  | { readonly kind: "step"; readonly at: number; readonly of: number }
  | { readonly kind: "look"; readonly left: number };

interface ReadBack {
  readonly name: string;
  readonly type: string;
  readonly servers: readonly {
    readonly server: string;
    readonly hasIt: "yes" | "no" | "unknown";
    readonly answers: readonly string[] | null;
  }[];
}

type Result =
  | { readonly status: "done"; readonly unseen: readonly unknown[]; readonly readBack?: readonly ReadBack[] }
  | { readonly status: "nothing-to-do" | "busy" }
  | { readonly status: "blocked"; readonly guards: readonly { readonly message: string }[] }
  | { readonly status: "stale"; readonly detail: string }
  | { readonly status: "stopped"; readonly failure: { readonly detail: string } };

interface FollowProps {
  readonly id: string;
  readonly onEnd: () => void;
  readonly onClose: () => void;
}

export function Follow({ id, onEnd, onClose }: FollowProps) {
  const { follow: t } = usePublishingTexts();
  const job = useJob(id);
  const about = useQuery({
    queryKey: ["job", id],
    queryFn: ({ signal }) => answer(GET("/api/jobs/{job}", { params: { path: { job: id } }, signal })),
    retry: false,
    refetchOnWindowFocus: false,
  });
  const state = job?.state ?? "running";
  const end = useRef(onEnd);
  end.current = onEnd;
  const isOver = state !== "running";
  useEffect(() => {
    if (isOver) end.current();
  }, [isOver]);
  const title = about.data?.kind === "undo" ? t.undo : t.apply;
  return (
    <section className="card follow" aria-labelledby="follow">
      <h2 id="follow">{title}</h2>
      {state === "running" && <Under progress={(job?.progress ?? undefined) as Progress | undefined} />}
      {/* There before anything is in it, so that the first outcome is read aloud. */}
      <div role="status">
        {state === "gone" && <p className="note">{t.gone}</p>}
        {state === "done" && <Outcome result={job?.result as Result} />}
      </div>
      {state === "failed" && (
        <p className="note note-warning" role="alert">
          {t.failed} <span lang="en">{(job?.result as { what?: string } | null)?.what}</span>
        </p>
      )}
      {state === "done" && <ReadBackOf result={job?.result as Result} />}
      {isOver && (
        <button
          type="button"
          className="primary"
          onClick={() => {
            focusHeading(document.querySelector("main"));
            onClose();
          }}
        >
          {t.close}
        </button>
      )}
    </section>
  );
}

function Under({ progress }: { readonly progress: Progress | undefined }) {
  const { follow: t } = usePublishingTexts();
  const text =
    progress === undefined
      ? t.begun
      : progress.kind === "wait"
        ? t.waiting(progress.seconds)
        : progress.kind === "step"
          ? t.step(progress.at + 1, progress.of)
          : t.look(progress.left);
  return (
    <>
      <Busy
        text={text}
        progress={progress?.kind === "step" ? { done: progress.at, of: progress.of } : undefined}
      />
      {progress?.kind === "wait" && progress.reason && (
        <p className="hint" lang="en">
          {progress.reason}
        </p>
      )}
      <p className="hint">{t.leave}</p>
    </>
  );
}

function ReadBackOf({ result }: { readonly result: Result }) {
  const rows = result.status === "done" ? (result.readBack ?? []) : [];
  return rows.length > 0 && <ReadBackTable rows={rows} />;
}

function Outcome({ result }: { readonly result: Result }) {
  const { follow: t } = usePublishingTexts();
  const { problem } = useTexts();
  const said = (text: string) => <span lang="en">{problem.sentence(text)}</span>;
  switch (result.status) {
    case "done": {
      const isSeen = result.unseen.length === 0;
      return (
        <p className={`note ${isSeen ? "note-ok" : "note-warning"}`}>{isSeen ? t.done : t.doneUnseen}</p>
      );
    }
    case "nothing-to-do":
      return <p className="note note-ok">{t.doneNothing}</p>;
    case "busy":
      return <p className="note note-warning">{t.busy}</p>;
    case "blocked":
      return (
        <p className="note note-warning">
          {t.blocked} {result.guards.map(({ message }) => said(message))}
        </p>
      );
    case "stale":
      return (
        <p className="note note-warning">
          {t.stale} {said(result.detail)}
        </p>
      );
    case "stopped":
      return (
        <p className="note note-warning">
          {t.stopped} {said(result.failure.detail)}
        </p>
      );
    default:
      return result satisfies never;
  }
}

const SEVERITY_OF = { yes: "ok", no: "warning", unknown: "unknown" } as const satisfies Record<
  string,
  Severity
>;

function ReadBackTable({ rows }: { readonly rows: readonly ReadBack[] }) {
  const { follow: t, publish } = usePublishingTexts();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section className="scroll" aria-label={t.readBack} tabIndex={0}>
      <table>
        <caption>{t.readBack}</caption>
        <thead>
          <tr>
            <th scope="col">{publish.columns.name}</th>
            <th scope="col">{t.server}</th>
            <th scope="col">{publish.columns.value}</th>
          </tr>
        </thead>
        <tbody>
          {rows.flatMap(({ name, type, servers }) =>
            servers.map(({ server, hasIt, answers }, at) => (
              <tr key={`${name} ${type} ${server}`}>
                {at === 0 && (
                  <th scope="rowgroup" rowSpan={servers.length}>
                    <code>{name}</code> {type}
                  </th>
                )}
                <td>{server}</td>
                <td>
                  <span className="record-visible">
                    <SeverityShape severity={SEVERITY_OF[hasIt]} />
                    {t.visible[hasIt]}
                  </span>
                  {answers && (
                    <code className="hint clamp">
                      {answers.length === 0 ? t.nothingThere : answers.join("\n")}
                    </code>
                  )}
                </td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </section>
  );
}
