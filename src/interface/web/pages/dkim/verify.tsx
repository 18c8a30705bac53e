/** What each name server shows of a key, and until when caches may hold something else. */
import { useEffect, useState } from "react";
import type { Key, KeyLook, SeenKey } from "../../api/keys.ts";
import { Busy } from "../../parts/busy.tsx";
import { Problem } from "../../parts/problem.tsx";
import { type Severity, SeverityShape } from "../../parts/severity.tsx";
import { When } from "../../parts/when.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";
import { useTexts } from "../../texts/texts.tsx";
import { isWaiting } from "./key-state.ts";

interface VerifyProps {
  readonly item: Key;
  readonly seen: SeenKey | undefined;
  readonly look: KeyLook;
  readonly onLook: () => void;
  readonly mayLook: boolean;
}

export function Verify({ item, seen, look, onLook, mayLook }: VerifyProps) {
  const { verify: t } = usePublishingTexts();
  const [isAsked, setAsked] = useState(false);
  const { isFetching } = look;
  useEffect(() => {
    if (!isFetching) setAsked(false);
  }, [isFetching]);
  // What it looks for by itself, again and again, neither takes the button away nor is read aloud.
  const isBusy = isAsked || (isFetching && look.data === undefined);
  const ask = () => {
    if (isBusy) return;
    setAsked(true);
    onLook();
  };
  if (!mayLook && seen === undefined) return null;
  const waits = isWaiting(item);
  const isSpreading = waits && seen !== undefined && seen.cachesClearAt === null;
  return (
    <section className="key-part">
      <h3>{t.title}</h3>
      <div className="key-look">
        <button type="button" aria-disabled={isBusy} onClick={ask}>
          {seen ? t.again : t.look}
        </button>
        {isBusy && <Busy text={t.looking} />}
        {!isBusy && look.data && seen && (
          <span className="hint">
            {t.asked} <When at={look.data.at} /> {isSpreading && t.watching}
          </span>
        )}
      </div>
      <Problem error={look.error} />
      {seen && <Seen seen={seen} waits={waits} />}
    </section>
  );
}

/** What is wanted of a key that is to sign; of one that retires, its absence is fine as well. */
function severityOf(sight: string, waits: boolean): Severity {
  if (sight === "this") return "ok";
  if (sight === "unknown") return "unknown";
  if (sight === "absent") return waits ? "warning" : "notice";
  return sight === "revoked" ? "notice" : "error";
}

function Seen({ seen, waits }: { readonly seen: SeenKey; readonly waits: boolean }) {
  const { verify: t } = usePublishingTexts();
  const { problem } = useTexts();
  const { selector, servers, cachesClearAt, cachedSeconds, next } = seen;
  const having = servers.filter(({ sight }) => sight === "this");
  const isEverywhere = servers.length > 0 && having.length === servers.length;
  const isClear = cachesClearAt !== null && new Date(cachesClearAt).getTime() <= Date.now();
  return (
    <>
      <p className={`note ${isEverywhere ? "note-ok" : "note-warning"}`} role="status">
        {servers.length === 0
          ? t.nobodyFound
          : isEverywhere
            ? t.everywhere
            : t.notYet(having.length, servers.length)}
        {cachesClearAt && waits && (
          <span>
            {isClear ? t.letGo : t.letGoBefore}: <When at={cachesClearAt} show="both" />
          </span>
        )}
        {!isEverywhere && waits && cachedSeconds !== null && <span>{t.letGoLater(cachedSeconds)}</span>}
      </p>
      {servers.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        <section className="scroll key-servers" aria-label={`${t.title}: ${selector}`} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t.server}</th>
                <th scope="col">{t.shows}</th>
                <th scope="col">{t.ttl}</th>
              </tr>
            </thead>
            <tbody>
              {servers.map(({ server, sight, shows, ttlSeconds }, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: one server may be asked at several addresses
                <tr key={`${server} ${at}`}>
                  <th scope="row">{server}</th>
                  <td>
                    <span className="record-visible">
                      <SeverityShape severity={severityOf(sight, waits)} />
                      {t.sight[sight] ?? sight}
                    </span>
                    {["unusable", "unknown", "several"].includes(sight) && (
                      <span className="hint" lang="en">
                        {" "}
                        {shows}
                      </span>
                    )}
                  </td>
                  <td>{ttlSeconds ?? "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {next && !["publish", "done"].includes(next.action) && (
        <p className={next.action === "trouble" ? "note note-warning" : "hint"} lang="en">
          {problem.sentence(next.reason)}
        </p>
      )}
    </>
  );
}
