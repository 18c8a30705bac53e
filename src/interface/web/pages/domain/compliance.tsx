/** What the large receivers ask of senders, and what the last check shows of each rule. */
import { useQuery } from "@tanstack/react-query";
import { complianceQuery, type Rule } from "../../api/tools.ts";
import { Loading } from "../../parts/busy.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Problem } from "../../parts/problem.tsx";
import { SeverityShape } from "../../parts/severity.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { PlainFindingCard } from "./finding-card.tsx";
import "../../style/tools.css";

const VERDICTS = ["not-met", "could-not-tell", "met", "not-visible"] as const;
type Verdict = (typeof VERDICTS)[number];
const SHAPES = {
  met: "ok",
  "not-met": "error",
  "could-not-tell": "unknown",
  "not-visible": "unchecked",
} as const;
const verdictOf = ({ verdict }: Rule): Verdict =>
  VERDICTS.find((each) => each === verdict) ?? "could-not-tell";

export function Compliance({
  domain,
  checkedAt,
}: {
  readonly domain: string;
  readonly checkedAt: string | null;
}) {
  const { compliance: t } = useTexts();
  const rules = useQuery(complianceQuery(domain));
  if (checkedAt === null) return <Empty title={t.notChecked}>{t.notCheckedHint}</Empty>;
  if (rules.isPending) return <Loading />;
  if (rules.isError) return <Problem error={rules.error} onRetry={() => void rules.refetch()} />;
  const providers = [...Map.groupBy(rules.data.rules, ({ provider }) => provider)];
  return (
    <section className="compliance" aria-label={t.title}>
      <p className="hint">{t.lead}</p>
      {providers.map(([provider, own]) => (
        <ProviderRules key={provider} provider={provider} rules={own} />
      ))}
    </section>
  );
}

function ProviderRules({ provider, rules }: { readonly provider: string; readonly rules: readonly Rule[] }) {
  const { compliance: t } = useTexts();
  const count = (verdict: Verdict) => rules.filter((rule) => verdictOf(rule) === verdict).length;
  const source = rules[0]?.source;
  return (
    <article className="card rules">
      <header>
        <h2>{t.providers[provider as keyof typeof t.providers] ?? provider}</h2>
        <p className="hint">
          {VERDICTS.filter((verdict) => count(verdict) > 0)
            .map((verdict) => t.counts[verdict](count(verdict)))
            .join(" · ")}
        </p>
        {source && (
          <a href={source} target="_blank" rel="noreferrer">
            {t.source}
          </a>
        )}
      </header>
      <ul>
        {rules
          .toSorted((one, other) => VERDICTS.indexOf(verdictOf(one)) - VERDICTS.indexOf(verdictOf(other)))
          .map((rule) => (
            <RuleItem key={rule.id} rule={rule} />
          ))}
      </ul>
    </article>
  );
}

function RuleItem({ rule }: { readonly rule: Rule }) {
  const { compliance: t } = useTexts();
  const verdict = verdictOf(rule);
  const isOpen = verdict === "not-met" || verdict === "could-not-tell";
  const said = (
    <>
      {t.verdicts[verdict]}
      {rule.why && (
        <>
          : <span lang="en">{rule.why}</span>
        </>
      )}
    </>
  );
  return (
    <li className={`rule rule-${verdict}`}>
      <SeverityShape severity={SHAPES[verdict]} />
      <div className="rule-text">
        <p>
          <span lang="en">{rule.rule}</span>{" "}
          <span className="hint">{t.appliesTo[rule.appliesTo as "all"]}</span>
        </p>
        {(isOpen || rule.evidence.length === 0) && <p className="hint">{said}</p>}
        {isOpen &&
          rule.evidence.map((finding) => (
            <details key={`${finding.code} ${finding.owner}`} className="evidence">
              <summary>
                <code>{finding.code}</code> {finding.owner}
              </summary>
              <PlainFindingCard finding={finding} />
            </details>
          ))}
        {!isOpen && rule.evidence.length > 0 && (
          <details className="hint">
            <summary>{said}</summary>
            {rule.evidence.map(({ code, owner, observed }) => (
              <p key={`${code} ${owner}`} className="clamp">
                {owner}: <span lang="en">{observed}</span> <code>{code}</code>
              </p>
            ))}
          </details>
        )}
      </div>
    </li>
  );
}
