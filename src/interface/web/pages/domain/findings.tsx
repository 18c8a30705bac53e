/** What a check has found: what asks for something first, what is fine folded away. */
import { Link } from "@tanstack/react-router";
import type { Finding } from "../../api/domains.ts";
import { mayChange, useSession } from "../../api/session.ts";
import { Empty } from "../../parts/empty.tsx";
import { SeverityShape } from "../../parts/severity.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { FindingCard } from "./finding-card.tsx";
import { type Station, stationOf } from "./stations.ts";

export function Findings({
  domain,
  checkedAt,
  findings,
  at,
}: {
  readonly domain: string;
  readonly checkedAt: string | null;
  readonly findings: readonly Finding[];
  readonly at: Station | undefined;
}) {
  const { findings: t, way } = useTexts();
  const session = useSession();
  if (checkedAt === null)
    return <Empty title={t.notChecked}>{mayChange(session) ? t.notCheckedHint : t.notCheckedReader}</Empty>;
  const here = at === undefined ? findings : findings.filter((each) => stationOf(each) === at);
  const fine = here.filter(({ severity }) => severity === "ok");
  const known = here.filter(({ severity, acknowledgedBy }) => severity !== "ok" && acknowledgedBy !== null);
  const asking = here.filter(({ severity, acknowledgedBy }) => severity !== "ok" && acknowledgedBy === null);
  return (
    <section className="findings" aria-label={t.title}>
      {at !== undefined && (
        <p className="only">
          {t.only(way.stations[at].name)}{" "}
          <Link to="/domains/$domain" params={{ domain }} search={{}} resetScroll={false}>
            {t.showAll}
          </Link>
        </p>
      )}
      {asking.length === 0 && (
        <p className="note note-ok">{fine.length + known.length > 0 ? t.quiet : t.nothing}</p>
      )}
      {asking.map((finding) => (
        <FindingCard key={finding.key} domain={domain} finding={finding} />
      ))}
      {known.length > 0 && (
        <details className="fold">
          <summary>{t.known(known.length)}</summary>
          {known.map((finding) => (
            <FindingCard key={finding.key} domain={domain} finding={finding} />
          ))}
        </details>
      )}
      {fine.length > 0 && (
        <details className="fold">
          <summary>{t.fine(fine.length)}</summary>
          <ul className="fine">
            {fine.map(({ key, owner, observed, expected }) => (
              <li key={key}>
                <SeverityShape severity="ok" />
                <div>
                  <code>{owner}</code>
                  <p lang="en">{observed || expected}</p>
                </div>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}
