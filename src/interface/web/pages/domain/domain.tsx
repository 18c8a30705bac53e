/** One domain: its state as a picture, what is to be mended, its records, what was. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { answer, POST } from "../../api/client.ts";
import { domainChanged, domainQuery, findingsQuery } from "../../api/domains.ts";
import { readSteps, useJob } from "../../api/job.ts";
import { mayChange, useSession } from "../../api/session.ts";
import { Busy, Loading } from "../../parts/busy.tsx";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
import { SeverityBadge } from "../../parts/severity.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { DomainNav } from "./domain-nav.tsx";
import { Findings } from "./findings.tsx";
import { Way } from "./way.tsx";
import "../../style/domain.css";

const route = getRouteApi("/inside/domains/$domain");
const Records = lazy(async () => ({ default: (await import("./records.tsx")).Records }));
const Compliance = lazy(async () => ({ default: (await import("./compliance.tsx")).Compliance }));
const History = lazy(async () => ({ default: (await import("./history.tsx")).History }));
const Description = lazy(async () => ({ default: (await import("./description.tsx")).DescriptionView }));

export function DomainPage() {
  const { domain: t } = useTexts();
  const { domain } = route.useParams();
  const { view, at, host, checking } = route.useSearch();
  const navigate = route.useNavigate();
  const state = useQuery(domainQuery(domain));
  const findings = useQuery(findingsQuery(domain));
  const known = state.data?.state ?? undefined;
  return (
    <Page
      title={domain}
      heading={
        <span className="domain-heading">
          {domain} <SeverityBadge severity={known?.worst ?? "unchecked"} />
        </span>
      }
      actions={<CheckAgain key={domain} domain={domain} begun={checking} />}
      lead={
        known?.checkedAt && (
          <>
            {t.checked} <When at={known.checkedAt} show="both" />
          </>
        )
      }
    >
      {(state.isPending || findings.isPending) && <Loading />}
      <Problem
        error={state.error ?? findings.error}
        onRetry={() => void Promise.all([state.refetch(), findings.refetch()])}
      />
      {findings.data && <Way domain={domain} findings={findings.data.findings} at={at} />}
      {findings.data && (
        <>
          <DomainNav domain={domain} />
          <Suspense fallback={<Loading />}>
            {view === "records" ? (
              <Records
                domain={domain}
                findings={findings.data.findings}
                chosenHost={host}
                onHost={(chosen) =>
                  void navigate({
                    search: (before) => ({ ...before, host: chosen }),
                    replace: true,
                    resetScroll: false,
                  })
                }
              />
            ) : view === "compliance" ? (
              <Compliance domain={domain} checkedAt={findings.data.checkedAt} />
            ) : view === "history" ? (
              <History domain={domain} findings={findings.data.findings} />
            ) : view === "description" ? (
              state.data?.domain === domain && <Description key={domain} described={state.data} />
            ) : (
              <Findings
                domain={domain}
                checkedAt={findings.data.checkedAt}
                findings={findings.data.findings}
                at={at}
              />
            )}
          </Suspense>
        </>
      )}
    </Page>
  );
}

/** `begun`: the job of a check that another page has begun. */
function CheckAgain({ domain, begun }: { readonly domain: string; readonly begun: string | undefined }) {
  const { domain: t } = useTexts();
  const client = useQueryClient();
  const session = useSession();
  const [jobId, setJobId] = useState(begun);
  const job = useJob(jobId);
  const begin = useMutation({
    mutationFn: () => answer(POST("/api/domains/{domain}/check", { params: { path: { domain } } })),
    onSuccess: ({ job: id }) => setJobId(id),
  });
  const isDone = job?.state === "done";
  // It is said to be done once what it has found is on the page.
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    setShown(false);
    if (isDone) void domainChanged(client, domain).then(() => setShown(true));
  }, [isDone, client, domain]);
  if (!mayChange(session)) return null;
  const isUnderWay = begin.isPending || job?.state === "running";
  const failure = job?.state === "failed" ? (job.result as { what?: string }).what : undefined;
  return (
    <>
      {isUnderWay && <Busy text={t.checking} progress={readSteps(job?.progress)} />}
      {isDone && isShown && (
        <p className="hint" role="status">
          {t.checkDone}
        </p>
      )}
      {job?.state === "gone" && <p className="hint">{t.checkGone}</p>}
      {failure && (
        <p className="fault" role="alert" lang="en">
          {failure}
        </p>
      )}
      <button type="button" className="primary" disabled={isUnderWay} onClick={() => begin.mutate()}>
        {t.checkAgain}
      </button>
      <Problem error={begin.error} />
    </>
  );
}
