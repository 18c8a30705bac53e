/** A plan looked at, approved, followed while it is carried out, and taken back. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { answer, POST } from "../../api/client.ts";
import { domainChanged, type Plan, planQuery } from "../../api/domains.ts";
import { isProblem } from "../../api/problem.ts";
import { isAdministrator, mayChange, useSession } from "../../api/session.ts";
import { Busy } from "../../parts/busy.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
import { tell } from "../../parts/toast.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";
import { DomainNav } from "../domain/domain-nav.tsx";
import { Follow } from "./follow.tsx";
import { PlanDiff } from "./plan-diff.tsx";
import { TakeBack } from "./take-back.tsx";
import "../../style/domain.css";
import "../../style/publish.css";

const route = getRouteApi("/inside/domains/$domain/publish");

type GuardId = Plan["guards"][number]["id"];

export function PublishPage() {
  const { publish: t } = usePublishingTexts();
  const { domain } = route.useParams();
  const { job } = route.useSearch();
  const session = useSession();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const follow = (id: string | undefined) =>
    void navigate({ search: id === undefined ? {} : { job: id }, replace: true, resetScroll: false });
  const may = mayChange(session);
  return (
    <Page title={t.title(domain)}>
      <DomainNav domain={domain} />
      {!may && <p className="note">{t.notAllowed}</p>}
      {may && job !== undefined && (
        <Follow
          key={job}
          id={job}
          onEnd={() => void domainChanged(client, domain)}
          onClose={() => follow(undefined)}
        />
      )}
      {may && job === undefined && (
        <>
          <Planned key={domain} domain={domain} onBegun={follow} />
          <TakeBack domain={domain} onBegun={follow} />
        </>
      )}
      <p className="hint">
        {t.keysElsewhere}{" "}
        <Link to="/domains/$domain/dkim" params={{ domain }}>
          {t.toKeys}
        </Link>
      </p>
    </Page>
  );
}

interface PlannedProps {
  readonly domain: string;
  readonly onBegun: (job: string) => void;
}

function Planned({ domain, onBegun }: PlannedProps) {
  const { publish: t } = usePublishingTexts();
  const found = useQuery({ ...planQuery(domain), retry: false, refetchOnWindowFocus: false });
  if (found.isPending) return <Busy text={t.reading} />;
  if (found.data === undefined)
    return isProblem(found.error, "refused") ? (
      <Nobody domain={domain} error={found.error} />
    ) : (
      <Problem error={found.error} onRetry={() => void found.refetch()} />
    );
  const { plan, provider, digest } = found.data;
  return (
    <>
      <div className="plan-lead">
        <p className="lead-text">{t.lead(plan.zone, provider)}</p>
        <button type="button" disabled={found.isFetching} onClick={() => void found.refetch()}>
          {t.again}
        </button>
      </div>
      {plan.steps.length === 0 && <Empty title={t.nothing}>{t.nothingHint}</Empty>}
      {found.isFetching && <Busy text={t.reading} />}
      <Approval
        key={digest}
        domain={domain}
        plan={plan}
        digest={digest}
        isOld={found.isFetching}
        onBegun={onBegun}
      />
    </>
  );
}

function Approval({
  domain,
  plan,
  digest,
  isOld,
  onBegun,
}: PlannedProps & {
  readonly plan: Plan;
  readonly digest: string;
  /** It is being read anew. */
  readonly isOld: boolean;
}) {
  const { publish: t } = usePublishingTexts();
  const client = useQueryClient();
  const [allowed, setAllowed] = useState<readonly GuardId[]>([]);
  const apply = useMutation({
    mutationFn: () =>
      answer(
        POST("/api/domains/{domain}/apply", {
          params: { path: { domain } },
          body: { digest, allow: [...allowed] },
        }),
      ),
    onSuccess: ({ job }) => onBegun(job),
    onError: (error) => {
      if (!isProblem(error, "stale")) return;
      tell(t.changed);
      void client.invalidateQueries({ queryKey: ["domain", domain, "plan"] });
    },
  });
  const { guards, steps } = plan;
  const isGuarded = guards.some(({ id, canBeOverridden }) => !canBeOverridden || !allowed.includes(id));
  const changes = steps.reduce((sum, { changes: own }) => sum + own.length, 0);
  const allow = (id: GuardId, isAllowed: boolean) =>
    setAllowed((before) => (isAllowed ? [...before, id] : before.filter((each) => each !== id)));
  const ids = [...new Set(guards.map(({ id }) => id))];
  return (
    <>
      {ids.length > 0 && (
        <section className="guards" aria-labelledby="guards">
          <h2 id="guards">{t.guards}</h2>
          {ids.map((id) => {
            const own = guards.filter((guard) => guard.id === id);
            return (
              <div key={id} className="note note-warning">
                {own.map(({ message }) => (
                  <p key={message} lang="en">
                    {message}.
                  </p>
                ))}
                {own.every(({ canBeOverridden }) => canBeOverridden) ? (
                  <label className="check">
                    <input
                      type="checkbox"
                      checked={allowed.includes(id)}
                      onChange={({ target }) => allow(id, target.checked)}
                    />
                    {t.allow} <code>{id}</code>
                  </label>
                ) : (
                  <p className="hint">
                    {t.cannotAllow}{" "}
                    <Link to="/domains/$domain" params={{ domain }} search={{ view: "description" }}>
                      {t.toDescription}
                    </Link>
                  </p>
                )}
              </div>
            );
          })}
        </section>
      )}
      <PlanDiff plan={plan} />
      {steps.length > 0 && (
        <div className="approve">
          <button
            type="button"
            className="primary"
            disabled={isGuarded || isOld || apply.isPending}
            onClick={() => apply.mutate()}
          >
            {t.approve(changes)}
          </button>
          {isGuarded && <p className="hint">{t.guarded}</p>}
          <Problem error={apply.error} />
        </div>
      )}
    </>
  );
}

/** Nobody holds the zone for this server: two ways on. */
function Nobody({ domain, error }: { readonly domain: string; readonly error: unknown }) {
  const { publish: t } = usePublishingTexts();
  const session = useSession();
  return (
    <Empty title={t.nobody}>
      <p lang="en" className="hint">
        {(error as Error).message}
      </p>
      <p>{t.nobodyHint}</p>
      <ol className="ways-on">
        <li>
          {t.wayProvider}{" "}
          {isAdministrator(session) && (
            <Link to="/providers" search={{ for: domain }}>
              {t.toProviders}
            </Link>
          )}
        </li>
        <li>
          {t.wayCopy}{" "}
          <Link to="/domains/$domain" params={{ domain }} search={{ view: "records" }}>
            {t.toRecords}
          </Link>
        </li>
      </ol>
    </Empty>
  );
}
