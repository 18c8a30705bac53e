/** A key's road: the states it has been in, the one it is in, and those ahead with what they wait for. */
import type { KeyOutlook } from "../../api/keys.ts";
import { When } from "../../parts/when.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";

export function Timeline({ outlook, state }: { readonly outlook: KeyOutlook; readonly state: string }) {
  const { timeline: t } = usePublishingTexts();
  const { past, ahead } = outlook;
  return (
    <ol className="timeline">
      {past.map((one) => {
        const isNow = one.state === state;
        return (
          <li
            key={one.state}
            className={isNow ? "is-now" : "is-done"}
            {...(isNow && { "aria-current": "step" as const })}
          >
            <p className="timeline-name">
              {t.state[one.state]} {isNow && <span className="hint">({t.now})</span>}
            </p>
            <p className="hint">
              {isNow && `${t.about[one.state]} `}
              {isNow && t.ago} <When at={one.at} show={isNow ? "both" : "exact"} />
            </p>
          </li>
        );
      })}
      {ahead.map(({ state: next, condition, earliest }) => (
        <li key={next}>
          <p className="timeline-name">{t.state[next]}</p>
          <p className="hint">
            {t.condition[condition]}
            {earliest && (
              <>
                ; {t.notBefore} <When at={earliest} show="both" />
              </>
            )}
          </p>
        </li>
      ))}
    </ol>
  );
}
