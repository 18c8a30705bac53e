/** The DKIM keys of a domain: made, copied, published, verified; and how one follows another. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { answer, POST } from "../../api/client.ts";
import {
  type Key,
  keyLookQuery,
  keysChanged,
  keysQuery,
  type RotationStep,
  rotationQuery,
  type SeenKey,
} from "../../api/keys.ts";
import { mayChange, useSession } from "../../api/session.ts";
import { Busy, Loading } from "../../parts/busy.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";
import { DomainNav } from "../domain/domain-nav.tsx";
import { ImportKey } from "./import-key.tsx";
import { KeyCard } from "./key-card.tsx";
import { isWaiting } from "./key-state.ts";
import { MakeKey } from "./make-key.tsx";
import { RotationSteps } from "./rotation-steps.tsx";
import "../../style/domain.css";
import "../../style/dkim.css";

const route = getRouteApi("/inside/domains/$domain/dkim");

export function DkimPage() {
  const { dkim: t } = usePublishingTexts();
  const { domain } = route.useParams();
  return (
    <Page title={t.title(domain)} lead={t.lead}>
      <DomainNav domain={domain} />
      <Keys key={domain} domain={domain} />
    </Page>
  );
}

function Keys({ domain }: { readonly domain: string }) {
  const { dkim: t } = usePublishingTexts();
  const client = useQueryClient();
  const session = useSession();
  const keys = useQuery(keysQuery(domain));
  const rotation = useQuery(rotationQuery(domain));
  const [isLooking, setLooking] = useState(false);
  const look = useQuery({ ...keyLookQuery(domain, client), enabled: isLooking });
  const lookNow = () => (isLooking ? void look.refetch() : setLooking(true));
  const [steps, setSteps] = useState<readonly RotationStep[]>();
  const rotate = useMutation({
    mutationFn: (body: { begin: boolean; publish: boolean }) =>
      answer(POST("/api/domains/{domain}/keys/rotate", { params: { path: { domain } }, body })),
    onSuccess: (done) => {
      setSteps(done.steps);
      lookNow();
      return keysChanged(client, domain);
    },
  });
  if (keys.isPending || rotation.isPending) return <Loading />;
  if (keys.data === undefined || rotation.data === undefined)
    return (
      <Problem
        error={keys.error ?? rotation.error}
        onRetry={() => void Promise.all([keys.refetch(), rotation.refetch()])}
      />
    );
  const { canPublish, zone, proposedSelector, keys: outlooks } = rotation.data;
  const may = mayChange(session);
  const newestFirst = keys.data.keys.toReversed();
  const here = newestFirst.filter(({ state }) => state !== "removed");
  const gone = newestFirst.filter(({ state }) => state === "removed");
  const waiting = here.find(isWaiting);
  const signs = here.some(({ state }) => state === "signing");
  const card = (key: Key) => (
    <KeyCard
      key={key.selector}
      domain={domain}
      zone={zone}
      item={key}
      outlook={outlooks.find(({ selector }) => selector === key.selector)}
      seen={look.data?.keys.find(({ selector }) => selector === key.selector)}
      look={look}
      onLook={lookNow}
      publishing={{
        canPublish,
        isBusy: rotate.isPending,
        publish: () => rotate.mutate({ begin: false, publish: true }),
        step: steps?.find(({ selector }) => selector === key.selector),
      }}
      isOnlySigner={key.state === "signing" && here.filter(({ state }) => state === "signing").length === 1}
    />
  );
  return (
    <>
      {(here.length === 0 || waiting !== undefined) && <Steps waiting={waiting} seen={look.data?.keys} />}
      {here.length === 0 && <Empty title={t.none}>{may ? t.noneHint : t.noneReader}</Empty>}
      <Problem error={rotate.error} />
      {here.length > 0 && (
        <section className="keys" aria-label={t.keys}>
          {here.map(card)}
        </section>
      )}
      {may && here.length > 0 && (
        <Rotation
          canBegin={signs && waiting === undefined}
          canPublish={canPublish}
          isBusy={rotate.isPending}
          onBegin={() => rotate.mutate({ begin: true, publish: canPublish })}
          onGoOn={() => rotate.mutate({ begin: false, publish: canPublish })}
          steps={steps}
        />
      )}
      {may && (
        <div className="key-forms">
          <MakeKey domain={domain} proposed={proposedSelector} isFirst={here.length === 0} />
          <ImportKey domain={domain} />
        </div>
      )}
      {gone.length > 0 && (
        <details className="fold">
          <summary>{t.removed(gone.length)}</summary>
          <div className="keys">{gone.map(card)}</div>
        </details>
      )}
    </>
  );
}

/** Where one is on the way from a domain to a key that signs. */
function Steps({
  waiting,
  seen,
}: {
  readonly waiting: Key | undefined;
  readonly seen: readonly SeenKey[] | undefined;
}) {
  const { dkim: t } = usePublishingTexts();
  const isSomewhere =
    waiting !== undefined &&
    (waiting.state !== "prepared" ||
      seen
        ?.find(({ selector }) => selector === waiting.selector)
        ?.servers.some(({ sight }) => sight === "this"));
  const at = waiting === undefined ? 1 : isSomewhere ? 4 : 2;
  return (
    <ol className="way-steps" aria-label={t.steps}>
      {t.step.map((name, each) => (
        <li
          key={name}
          className={each < at ? "is-done" : each === at ? "is-now" : ""}
          {...(each === at && { "aria-current": "step" as const })}
        >
          {name}
        </li>
      ))}
    </ol>
  );
}

interface RotationProps {
  readonly canBegin: boolean;
  readonly canPublish: boolean;
  readonly isBusy: boolean;
  readonly onBegin: () => void;
  readonly onGoOn: () => void;
  readonly steps: readonly RotationStep[] | undefined;
}

function Rotation({ canBegin, canPublish, isBusy, onBegin, onGoOn, steps }: RotationProps) {
  const { rotate: t } = usePublishingTexts();
  return (
    <section className="card rotation" aria-labelledby="rotation">
      <h2 id="rotation">{t.title}</h2>
      <p>{t.lead}</p>
      <div className="rotation-acts">
        {canBegin && (
          <p>
            <button type="button" disabled={isBusy} onClick={onBegin}>
              {t.begin}
            </button>
            <span className="hint">{t.beginHint}</span>
          </p>
        )}
        <p>
          <button type="button" disabled={isBusy} onClick={onGoOn}>
            {t.goOn}
          </button>
          <span className="hint">{canPublish ? t.goOnPublish : t.goOnHint}</span>
        </p>
      </div>
      {isBusy && <Busy text={t.working} />}
      {steps && !isBusy && <RotationSteps steps={steps} />}
    </section>
  );
}
