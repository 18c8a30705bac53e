/** The picture: how mail comes in and goes out, with what is known of each station. */
import { Link } from "@tanstack/react-router";
import type { Finding } from "../../api/domains.ts";
import { SeverityShape } from "../../parts/severity.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { type Station, type StationState, statesOf, WAY_IN, WAY_OUT } from "./stations.ts";

const ICONS: Readonly<Record<Station | "senders", string>> = {
  senders: "M3 6h18v12H3zM3 7l9 7 9-7",
  lookup: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM3 12h18M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18",
  mx: "M12 21v-6M5 4h12l3 3.5-3 3.5H5zM12 11v1M12 4V2.5",
  encryption: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2.5",
  server: "M4 4h16v7H4zM4 13h16v7H4zM7.5 7.5h.1M7.5 16.5h.1M12 7.5h5M12 16.5h5",
  mailbox: "M3 13l3-8h12l3 8v6H3zM3 13h5l1.5 3h5l1.5-3h5",
  address:
    "M12 21c-4-4.5-6.5-8-6.5-11a6.5 6.5 0 0 1 13 0c0 3-2.5 6.5-6.5 11zM12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  spf: "M5 4h14v16H5zM8.5 8.5h7M8.5 12h7M8.5 15.5h4",
  dkim: "M8.5 10a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11.5 11.5L20 3M16.5 6.5l3 3M14 9l2 2",
  dmarc: "M12 3l8 3v6c0 4.5-3 7.5-8 9-5-1.5-8-4.5-8-9V6zM8.5 12l2.5 2.5 4.5-5",
  receivers: "M4 12l16-7-5 15-3.5-6zM11.5 14L20 5",
};

export function Way({
  domain,
  findings,
  at,
}: {
  readonly domain: string;
  readonly findings: readonly Finding[];
  readonly at: Station | undefined;
}) {
  const { way: t } = useTexts();
  const states = statesOf(findings);
  const row = (title: string, start: string | undefined, stations: readonly Station[]) => (
    <section className="way" aria-label={title}>
      <h2>{title}</h2>
      <ol>
        {start && (
          <li className="way-end">
            <Icon path={ICONS.senders} />
            <span>{start}</span>
          </li>
        )}
        {stations.map((station) => (
          <StationItem key={station} domain={domain} state={states.get(station)!} isChosen={at === station} />
        ))}
      </ol>
    </section>
  );
  return (
    <div className="ways card">
      {row(t.in, t.senders, WAY_IN)}
      {row(t.out, undefined, WAY_OUT)}
    </div>
  );
}

const Icon = ({ path }: { readonly path: string }) => (
  <svg className="way-icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={path} />
  </svg>
);

function StationItem({
  domain,
  state: { station, worst, open },
  isChosen,
}: {
  readonly domain: string;
  readonly state: StationState;
  readonly isChosen: boolean;
}) {
  const { way: t, severity } = useTexts();
  const level = worst ?? "unchecked";
  const word =
    worst === undefined ? t.nothing : open > 0 ? severity.count[worst](open) : severity.name[worst];
  return (
    <li>
      <Link
        to="/domains/$domain"
        params={{ domain }}
        search={isChosen ? {} : { at: station }}
        className={`station station-${level}`}
        {...(isChosen && { "aria-current": true })}
        resetScroll={false}
      >
        <Icon path={ICONS[station]} />
        <span className="station-name">{t.stations[station].name}</span>
        <span className="station-about">{t.stations[station].about}</span>
        <span className="station-word">
          <SeverityShape severity={level} />
          {word}
        </span>
      </Link>
    </li>
  );
}
