/** One key: what it is, what is to be done for it, what was and what comes. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import {
  type Key,
  type KeyLook,
  type KeyOutlook,
  keyRecordQuery,
  type RotationStep,
  type SeenKey,
} from "../../api/keys.ts";
import { isAdministrator, mayChange, useSession } from "../../api/session.ts";
import { Busy, Loading } from "../../parts/busy.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Problem } from "../../parts/problem.tsx";
import { SeverityShape } from "../../parts/severity.tsx";
import { When } from "../../parts/when.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";
import { useTexts } from "../../texts/texts.tsx";
import { RecordFields, usualFields } from "../domain/record-fields.tsx";
import { ExportKey } from "./export-key.tsx";
import { isWaiting, shapeOf } from "./key-state.ts";
import { TakeOut } from "./take-out.tsx";
import { Timeline } from "./timeline.tsx";
import { Verify } from "./verify.tsx";

export interface Publishing {
  readonly canPublish: boolean;
  readonly isBusy: boolean;
  readonly publish: () => void;
  readonly step: RotationStep | undefined;
}

interface KeyCardProps {
  readonly domain: string;
  readonly zone: string;
  readonly item: Key;
  readonly outlook: KeyOutlook | undefined;
  readonly seen: SeenKey | undefined;
  readonly look: KeyLook;
  readonly onLook: () => void;
  readonly publishing: Publishing;
  readonly isOnlySigner: boolean;
}

export function KeyCard({
  domain,
  zone,
  item,
  outlook,
  seen,
  look,
  onLook,
  publishing,
  isOnlySigner,
}: KeyCardProps) {
  const { dkim: t, timeline, record, addIt } = usePublishingTexts();
  const session = useSession();
  const { selector, state, barred, kind, fingerprint, createdAt, lastSignedAt } = item;
  const isHere = state !== "removed";
  const [isTold, setTold] = useState(isWaiting(item));
  const isTakenBack = barred === "revoked" || state === "revoked";
  const [isCopied, setCopied] = useState(false);
  const may = mayChange(session);
  const next = outlook?.ahead[0];
  const wants = state === "prepared" && !barred;
  return (
    <article className={`card key key-${state}`} aria-label={selector}>
      <header>
        <h2>{selector}</h2>
        <span className={`badge badge-${shapeOf(item)}`}>
          <SeverityShape severity={shapeOf(item)} />
          {barred && state !== "removed" ? t.barred[barred] : t.state[state]}
        </span>
        <p className="hint key-facts">
          {kind} · {t.made} <When at={createdAt} />
          {lastSignedAt && (
            <>
              {" "}
              · {t.lastSigned} <When at={lastSignedAt} />
            </>
          )}
        </p>
        {isHere && next && (
          <p className="key-next">
            <strong>
              {timeline.next}: {timeline.state[next.state]}
            </strong>{" "}
            {timeline.condition[next.condition]}
            {next.earliest && (
              <>
                ; {timeline.notBefore} <When at={next.earliest} show="both" />
              </>
            )}
          </p>
        )}
      </header>
      {wants && (
        <>
          <section className="key-part">
            <h3>{record.copy}</h3>
            <RecordToCopy domain={domain} selector={selector} zone={zone} />
          </section>
          {may && (
            <section className="key-part">
              <h3>{addIt.title}</h3>
              <AddIt domain={domain} publishing={publishing} selector={selector} />
            </section>
          )}
        </>
      )}
      {isHere && <Verify item={item} seen={seen} look={look} onLook={onLook} mayLook={may} />}
      {outlook && (
        <details
          className="key-fold"
          open={isTold}
          onToggle={({ currentTarget }) => setTold(currentTarget.open)}
        >
          <summary>{timeline.title}</summary>
          <Timeline outlook={outlook} state={state} />
        </details>
      )}
      {!wants && isHere && (
        <details
          className="key-fold"
          open={isCopied}
          onToggle={({ currentTarget }) => setCopied(currentTarget.open)}
        >
          <summary>{isTakenBack ? record.empty : record.copy}</summary>
          {isCopied && <RecordToCopy domain={domain} selector={selector} zone={zone} isEmpty={isTakenBack} />}
        </details>
      )}
      {may && isHere && <TakeOut domain={domain} item={item} isOnlySigner={isOnlySigner} />}
      {may && isHere && <ExportKey domain={domain} item={item} />}
      <p className="hint key-print">
        {t.fingerprint} <code>{fingerprint}</code>
      </p>
    </article>
  );
}

function RecordToCopy({
  domain,
  selector,
  zone,
  isEmpty = false,
}: {
  readonly domain: string;
  readonly selector: string;
  readonly zone: string;
  /** Of a key that was taken back. */
  readonly isEmpty?: boolean;
}) {
  const { record: t } = usePublishingTexts();
  const [host, setHost] = useState("");
  const record = useQuery(keyRecordQuery(domain, selector, host));
  if (record.isPending) return <Loading />;
  if (record.data === undefined)
    return <Problem error={record.error} onRetry={() => void record.refetch()} />;
  const { form, zoneText, host: fields, cannotStore, hosts, shapes } = record.data;
  return (
    <div className="key-record">
      <p>{isEmpty ? t.emptyLead(zone) : t.lead(zone)}</p>
      <label>
        {t.host}{" "}
        <select value={host} onChange={({ target }) => setHost(target.value)}>
          <option value="">{t.usualForm}</option>
          {hosts.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {cannotStore && (
        <p className="note note-warning" lang="en">
          {cannotStore}
        </p>
      )}
      {form && <RecordFields fields={fields ?? usualFields(form)} zoneText={zoneText} />}
      <details>
        <summary>{t.shapes}</summary>
        <dl className="shapes">
          {shapes.map(({ name, text }) => (
            <div key={name}>
              <dt lang="en">{name}</dt>
              <dd>
                <pre className="block">{text}</pre>
                <CopyButton text={text} what={name} />
              </dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  );
}

interface AddItProps {
  readonly domain: string;
  readonly publishing: Publishing;
  readonly selector: string;
}

function AddIt({ domain, publishing, selector }: AddItProps) {
  const session = useSession();
  const { addIt: t, rotate } = usePublishingTexts();
  const { problem } = useTexts();
  const { canPublish, isBusy, publish, step } = publishing;
  const published = step?.published;
  const isIn = published && rotate.published[published.status] !== undefined;
  if (!canPublish)
    return (
      <>
        <p>{t.byHand}</p>
        <p className="hint">
          {t.nobody}{" "}
          {isAdministrator(session) && (
            <Link to="/providers" search={{ for: domain }}>
              {t.toProviders}
            </Link>
          )}
        </p>
      </>
    );
  return (
    <>
      <p>{t.publishLead}</p>
      {isBusy && <Busy text={t.publishing} />}
      {isIn ? (
        <p className="note note-ok" role="status">
          {t.published(selector)}
        </p>
      ) : (
        <p>
          <button type="button" className="primary" disabled={isBusy} onClick={publish}>
            {t.publish}
          </button>
        </p>
      )}
      {step && !isIn && (
        <p className="note note-warning" role="alert" lang="en">
          {problem.sentence(published?.detail || step.reason)}
        </p>
      )}
      <p className="hint">{t.orByHand}</p>
    </>
  );
}
