/** What needs doing now, the worst first; everything else is quiet. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { memo, useDeferredValue, useEffect, useLayoutEffect, useRef, useState } from "react";
import { type DomainState, domainListQuery, type Overview, overviewQuery } from "../api/domains.ts";
import { isAdministrator, mayAddDomains, useSession } from "../api/session.ts";
import { Busy, Loading } from "../parts/busy.tsx";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";
import { Problem } from "../parts/problem.tsx";
import { SEVERITIES, type Severity, SeverityShape, worstOf } from "../parts/severity.tsx";
import { When } from "../parts/when.tsx";
import { useTexts } from "../texts/texts.tsx";
import "../style/overview.css";

const route = getRouteApi("/inside/");
const TYPING_MILLISECONDS = 150;

export function OverviewPage() {
  const { overview: t, add: adding } = useTexts();
  const session = useSession();
  const file = session?.descriptionFile ?? undefined;
  const overview = useQuery(overviewQuery);
  const { data } = overview;
  useFreshRows(data);
  const add = mayAddDomains(session) && (
    <Link to="/add" className="button primary">
      {t.add}
    </Link>
  );
  return (
    <Page title={t.title} lead={data && data.domains > 0 ? leadOf(data, t) : undefined} actions={add}>
      {overview.isPending && <Loading />}
      <Problem error={overview.error} onRetry={() => void overview.refetch()} />
      {data?.domains === 0 && (
        <Empty title={t.none}>
          <p>
            {!isAdministrator(session)
              ? t.noneOther
              : file === undefined
                ? t.noneAdministrator
                : adding.byFile(file)}
          </p>
          {add}
        </Empty>
      )}
      {data && data.domains > 0 && (
        <div className="overview">
          <LatestChanges overview={data} />
          <div className="overview-list">
            <Filters overview={data} />
            <DomainList />
          </div>
        </div>
      )}
    </Page>
  );
}

/** So long a list is read again by itself where something has changed; further down somebody is reading. */
const MAX_FRESH_PAGES = 5;

/** The rows must not say something else than what stands above them. */
function useFreshRows(overview: Overview | undefined): void {
  const client = useQueryClient();
  const now = overview && `${JSON.stringify(overview.bySeverity)} ${overview.events[0]?.id ?? ""}`;
  const before = useRef(now);
  useEffect(() => {
    if (before.current !== undefined && before.current !== now)
      void client.invalidateQueries({
        queryKey: ["domains"],
        predicate: ({ state: { data } }) =>
          ((data as { pages?: readonly unknown[] } | undefined)?.pages?.length ?? 0) <= MAX_FRESH_PAGES,
      });
    before.current = now;
  }, [client, now]);
}

function leadOf({ bySeverity, domains }: Overview, t: ReturnType<typeof useTexts>["overview"]): string {
  const { error = 0, unknown = 0, warning = 0, unchecked = 0 } = bySeverity;
  if (error > 0) return t.leadErrors(error);
  if (unknown > 0) return t.leadUnknown(unknown);
  if (warning > 0) return t.leadWarnings(warning);
  return unchecked > 0 ? t.leadUnchecked(unchecked) : t.leadQuiet(domains);
}

/** The state of the list is its address: it can be kept, sent, and gone back to. */
function Filters({ overview: { bySeverity, domains } }: { readonly overview: Overview }) {
  const { overview: t, severity, number } = useTexts();
  const { search = "", worst } = route.useSearch();
  const navigate = route.useNavigate();
  const [typed, setTyped] = useState(search);
  const sent = useRef(search);
  // Whoever goes back in history finds what was searched for then.
  useEffect(() => {
    if (search !== sent.current) setTyped(search);
    sent.current = search;
  }, [search]);
  useEffect(() => {
    if (typed === sent.current) return;
    const timer = window.setTimeout(() => {
      sent.current = typed;
      void navigate({
        search: { ...(worst && { worst }), ...(typed && { search: typed }) },
        replace: true,
      });
    }, TYPING_MILLISECONDS);
    return () => window.clearTimeout(timer);
  }, [typed, worst, navigate]);
  const keep = search ? { search } : {};
  return (
    <search className="filters">
      <input
        type="search"
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
        aria-label={t.search}
        placeholder={t.search}
        autoCapitalize="none"
        spellCheck={false}
        maxLength={255}
      />
      <ul className="chips" aria-label={t.filter}>
        <li>
          <Link to="/" search={keep} className="chip" activeOptions={{ exact: true }}>
            {t.all} <span className="chip-count">{number(domains)}</span>
          </Link>
        </li>
        {SEVERITIES.filter((each) => (bySeverity[each] ?? 0) > 0 || each === worst).map((each) => (
          <li key={each}>
            <Link
              to="/"
              search={{ ...keep, worst: each }}
              className={`chip chip-${each}`}
              activeOptions={{ exact: true }}
            >
              <SeverityShape severity={each} />
              {severity.name[each]} <span className="chip-count">{number(bySeverity[each] ?? 0)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </search>
  );
}

const ROW_PIXELS = 53;
const AHEAD = 40;

function DomainList() {
  const { overview: t } = useTexts();
  const filter = useDeferredValue(route.useSearch());
  const list = useInfiniteQuery(domainListQuery(filter));
  const rows = list.data?.pages.flatMap(({ domains }) => domains) ?? [];
  const ref = useRef<HTMLUListElement>(null);
  const [top, setTop] = useState(0);
  // What stands above it grows and shrinks: the latest changes are folded on a phone.
  useLayoutEffect(() => {
    const list = ref.current!;
    const measure = () => setTop(list.offsetTop);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(list.closest(".overview") ?? list);
    return () => observer.disconnect();
  }, []);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_PIXELS,
    overscan: 5,
    scrollMargin: top,
    getItemKey: (at) => rows[at]!.domain,
  });
  const shown = virtualizer.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last >= rows.length - AHEAD) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, last, rows.length]);
  return (
    <>
      {list.isPending && <Loading />}
      <Problem error={list.error} onRetry={() => void list.refetch()} />
      {list.isSuccess && rows.length === 0 && (
        <Empty title={t.noMatch}>
          <p>
            <Link to="/" search={{}}>
              {t.showAll}
            </Link>
          </p>
        </Empty>
      )}
      <ul ref={ref} className="domains" aria-label={t.list} style={{ height: virtualizer.getTotalSize() }}>
        {shown.map(({ index, key, start }) => (
          <li
            key={key}
            ref={virtualizer.measureElement}
            data-index={index}
            aria-setsize={hasNextPage ? -1 : rows.length}
            aria-posinset={index + 1}
            style={{ transform: `translateY(${start - top}px)` }}
          >
            <DomainRow state={rows[index]!} />
          </li>
        ))}
      </ul>
      {isFetchingNextPage && <Busy text={t.more} />}
    </>
  );
}

const LOUD: readonly Severity[] = ["error", "unknown", "warning"];

/** While the list is scrolled, rows that stay are not made anew. */
const DomainRow = memo(function DomainRow({
  state: { domain, worst, counts, checkedAt },
}: {
  readonly state: DomainState;
}) {
  const { overview: t, severity } = useTexts();
  const loud = LOUD.filter((each) => (counts[each] ?? 0) > 0);
  return (
    <Link to="/domains/$domain" params={{ domain }} className={`domain-row row-${worst ?? "unchecked"}`}>
      <SeverityShape severity={worst ?? "unchecked"} />
      <span className="unseen">{severity.name[worst ?? "unchecked"]}: </span>
      <span className="domain-name">{domain}</span>
      <span className="domain-counts">
        {loud.length === 0
          ? severity.name[worst ?? "unchecked"]
          : loud.map((each) => severity.count[each](counts[each] ?? 0)).join(", ")}
      </span>
      <span className="domain-when">
        {checkedAt && (
          <>
            <span className="unseen">{t.checked} </span>
            <When at={checkedAt} />
          </>
        )}
      </span>
    </Link>
  );
});

const KINDS = ["appeared", "changed", "gone", "acknowledged"] as const;

/** What one check has changed at a domain is one line. */
function condense(events: Overview["events"]) {
  const groups = [...Map.groupBy(events, ({ domain, at }) => `${domain} ${at}`).values()];
  return groups.map((group) => {
    const { id, domain, at } = group[0]!;
    const count = (kind: (typeof KINDS)[number]) => group.filter((each) => each.kind === kind).length;
    const counts = {
      appeared: count("appeared"),
      changed: count("changed"),
      gone: count("gone"),
      acknowledged: count("acknowledged"),
    };
    const there = group.filter(({ kind }) => kind !== "gone").map(({ severity }) => severity);
    return { id, domain, at, counts, worst: worstOf(there) ?? ("ok" as const) };
  });
}

const WIDE = "(min-width: 68rem)";

function LatestChanges({ overview: { events } }: { readonly overview: Overview }) {
  const { overview: t, events: words } = useTexts();
  const [isWide] = useState(() => window.matchMedia(WIDE).matches);
  if (events.length === 0) return null;
  return (
    <details className="latest" open={isWide}>
      <summary>
        <h2>{t.latest}</h2>
      </summary>
      <ol>
        {condense(events).map(({ id, domain, at, counts, worst }) => (
          <li key={id}>
            <SeverityShape severity={worst} />
            <div>
              <Link to="/domains/$domain" params={{ domain }} search={{ view: "history" }}>
                {domain}
              </Link>
              <p>
                {KINDS.filter((kind) => counts[kind] > 0)
                  .map((kind) => words.count[kind](counts[kind]))
                  .join(", ")}
              </p>
              <p className="hint">
                <When at={at} />
              </p>
            </div>
          </li>
        ))}
      </ol>
    </details>
  );
}
