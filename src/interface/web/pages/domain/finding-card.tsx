/** One finding: what is there, why it matters, what to do, and how to see it by hand. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, POST } from "../../api/client.ts";
import { domainChanged, type Finding, type Fix } from "../../api/domains.ts";
import { mayChange, useSession } from "../../api/session.ts";
import type { PlainFinding } from "../../api/tools.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Problem } from "../../parts/problem.tsx";
import { Reference } from "../../parts/reference.tsx";
import { SeverityBadge } from "../../parts/severity.tsx";
import { tell } from "../../parts/toast.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { RecordFields, usualFields } from "./record-fields.tsx";

export function FindingCard({ domain, finding }: { readonly domain: string; readonly finding: Finding }) {
  const { findings: t } = useTexts();
  const { severity, owner, code, why, reference, verify, since, acknowledgedBy } = finding;
  return (
    <details className={`finding finding-${severity}`} open={severity === "error" && acknowledgedBy === null}>
      <summary>
        <SeverityBadge severity={severity} />
        <span className="finding-owner">{owner}</span>
        <span className="finding-why" lang="en">
          {why}
        </span>
      </summary>
      <div className="finding-more">
        <p className="hint">
          <code>{code}</code> · <Reference text={reference} /> · {t.since} <When at={since} />
        </p>
        <Seen finding={finding} />
        <footer>
          <ByHand verify={verify} />
          <Acknowledge domain={domain} finding={finding} />
        </footer>
      </div>
    </details>
  );
}

/** A finding of a look that is not kept: nothing of it can be put aside. */
export function PlainFindingCard({ finding }: { readonly finding: PlainFinding }) {
  const { severity, owner, code, why, reference, verify } = finding;
  return (
    <article className={`finding finding-plain finding-${severity}`}>
      <div className="finding-more">
        <p className="finding-head">
          <SeverityBadge severity={severity} /> <span className="finding-owner">{owner}</span>
        </p>
        <p lang="en">{why}</p>
        <p className="hint">
          <code>{code}</code> · <Reference text={reference} />
        </p>
        <Seen finding={finding} />
        <footer>
          <ByHand verify={verify} />
        </footer>
      </div>
    </article>
  );
}

function Seen({ finding: { observed, expected, fix } }: { readonly finding: PlainFinding }) {
  const { findings: t } = useTexts();
  return (
    <>
      <dl className="seen">
        {observed && (
          <>
            <dt>{t.observed}</dt>
            <dd>
              <pre lang="en">{observed}</pre>
            </dd>
          </>
        )}
        <dt>{t.expected}</dt>
        <dd>
          <pre lang="en">{expected}</pre>
        </dd>
      </dl>
      {fix && <FixBox fix={fix} />}
    </>
  );
}

function ByHand({ verify }: { readonly verify: string }) {
  const { findings: t } = useTexts();
  return (
    <details>
      <summary>{t.byHand}</summary>
      <p className="copyable">
        <code>{verify}</code> <CopyButton text={verify} what={t.command} />
      </p>
    </details>
  );
}

function FixBox({ fix: { summary, changes, request } }: { readonly fix: Fix }) {
  const { findings: t } = useTexts();
  return (
    <div className="fix">
      <p className="fix-title">{t.fix}</p>
      <p lang="en">{summary}</p>
      {changes.map(({ action, owner, type, form, host, value, zoneText }) => (
        <div key={`${action} ${zoneText}`} className={`change change-${action}`}>
          <p className="label">
            <span className={`sign sign-${action}`} aria-hidden="true" />
            {t.action[action](type, owner)}
            {action === "create" && host && <span className="hint"> {t.atHost(host.name)}</span>}
          </p>
          {action === "create" && host?.cannotStore && (
            <p className="note note-warning" lang="en">
              {host.cannotStore}
            </p>
          )}
          {action === "create" ? (
            <RecordFields fields={host?.fields ?? usualFields(form)} zoneText={zoneText} />
          ) : (
            <code className="clamp">{value}</code>
          )}
        </div>
      ))}
      {request && (
        <div className="change">
          <p className="label">{t.request}</p>
          <pre lang="en">{request}</pre>
          <CopyButton text={request} what={t.request} />
        </div>
      )}
    </div>
  );
}

function Acknowledge({ domain, finding }: { readonly domain: string; readonly finding: Finding }) {
  const { findings: t } = useTexts();
  const client = useQueryClient();
  const session = useSession();
  const given = { params: { path: { domain } }, body: { key: finding.key } };
  const open = useMutation({
    mutationFn: () => answer(POST("/api/domains/{domain}/findings/open", given)),
    onSuccess: () => domainChanged(client, domain),
  });
  const acknowledge = useMutation({
    mutationFn: () => answer(POST("/api/domains/{domain}/findings/acknowledge", given)),
    onSuccess: () => {
      tell(t.acknowledged, () => open.mutate());
      return domainChanged(client, domain);
    },
  });
  if (finding.acknowledgedBy !== null)
    return (
      <>
        <span className="hint">{t.acknowledgedBy(finding.acknowledgedBy)}</span>
        {mayChange(session) && (
          <button type="button" className="plain" disabled={open.isPending} onClick={() => open.mutate()}>
            {t.open}
          </button>
        )}
        <Problem error={open.error} />
      </>
    );
  if (!mayChange(session)) return null;
  return (
    <>
      <button
        type="button"
        className="plain"
        disabled={acknowledge.isPending}
        onClick={() => acknowledge.mutate()}
        title={t.acknowledgeHint}
      >
        {t.acknowledge}
      </button>
      <Problem error={acknowledge.error} />
    </>
  );
}
