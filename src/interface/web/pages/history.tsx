/** What has changed at any domain, the newest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { allHistoryQuery } from "../api/tools.ts";
import { Loading } from "../parts/busy.tsx";
import { Empty } from "../parts/empty.tsx";
import { More } from "../parts/more.tsx";
import { Page } from "../parts/page.tsx";
import { Problem } from "../parts/problem.tsx";
import { SeverityBadge } from "../parts/severity.tsx";
import { When } from "../parts/when.tsx";
import { useTexts } from "../texts/texts.tsx";
import "../style/domain.css";
import "../style/administration.css";

export function HistoryPage() {
  const { allHistory: t, history, events: words } = useTexts();
  const list = useInfiniteQuery(allHistoryQuery);
  const events = list.data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <Page title={t.title} lead={t.lead}>
      {list.isPending && <Loading />}
      <Problem error={list.error} onRetry={() => void list.refetch()} />
      {list.data && events.length === 0 && <Empty title={history.none}>{history.noneHint}</Empty>}
      {events.length > 0 && (
        <ol className="events card all-events">
          {events.map(({ id, domain, at, kind, code, owner, severity, observed }) => (
            <li key={id}>
              <SeverityBadge severity={kind === "gone" ? "ok" : severity} />
              <div>
                <p>
                  <Link to="/domains/$domain" params={{ domain }} search={{ view: "history" }}>
                    {domain}
                  </Link>{" "}
                  <code>{code}</code> {words[kind]}
                  {owner !== domain && ` · ${owner}`}
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
      )}
      <More list={list} />
    </Page>
  );
}
