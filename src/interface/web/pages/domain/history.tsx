/** What has changed, as a curve and as a list. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";
import { type Finding, historyQuery } from "../../api/domains.ts";
import { Loading } from "../../parts/busy.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Problem } from "../../parts/problem.tsx";
import { SeverityBadge } from "../../parts/severity.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { overTime } from "./over-time.ts";

const Chart = lazy(async () => ({ default: (await import("./history-chart.tsx")).HistoryChart }));

export function History({
  domain,
  findings,
}: {
  readonly domain: string;
  readonly findings: readonly Finding[];
}) {
  const { history: t, events: words } = useTexts();
  const list = useInfiniteQuery(historyQuery(domain));
  const events = useMemo(() => list.data?.pages.flatMap((page) => page.events) ?? [], [list.data]);
  const moments = useMemo(
    () => overTime(events, findings, new Date(list.dataUpdatedAt).toISOString()),
    [events, findings, list.dataUpdatedAt],
  );
  if (list.isPending) return <Loading />;
  if (list.data === undefined) return <Problem error={list.error} onRetry={() => void list.refetch()} />;
  if (events.length === 0) return <Empty title={t.none}>{t.noneHint}</Empty>;
  return (
    <section className="history" aria-label={t.title}>
      <figure className="card">
        <figcaption>{t.chart}</figcaption>
        <Suspense fallback={<Loading />}>
          <Chart moments={moments} />
        </Suspense>
        <details>
          <summary>{t.asTable}</summary>
          <table>
            <thead>
              <tr>
                <th scope="col">{t.from}</th>
                <th scope="col">{t.columns.error}</th>
                <th scope="col">{t.columns.unknown}</th>
                <th scope="col">{t.columns.warning}</th>
              </tr>
            </thead>
            <tbody>
              {moments.map(({ at, error, unknown, warning }) => (
                <tr key={at}>
                  <th scope="row">
                    <When at={at} show="exact" />
                  </th>
                  <td>{error}</td>
                  <td>{unknown}</td>
                  <td>{warning}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      </figure>
      <ol className="events">
        {events.map(({ id, at, kind, code, owner, severity, observed }) => (
          <li key={id}>
            <SeverityBadge severity={kind === "gone" ? "ok" : severity} />
            <div>
              <p>
                <code>{code}</code> {words[kind]} · {owner}
              </p>
              {observed && (
                <p className="hint clamp" lang="en">
                  {observed}
                </p>
              )}
            </div>
            <span className="hint">
              <When at={at} show="both" />
            </span>
          </li>
        ))}
      </ol>
      <Problem error={list.error} onRetry={() => void list.fetchNextPage()} />
      {list.hasNextPage && (
        <button type="button" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {t.more}
        </button>
      )}
    </section>
  );
}
