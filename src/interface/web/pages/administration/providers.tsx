/** Who holds zones: tried, entered, taken away and brought back. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { answer, DELETE, POST } from "../../api/client.ts";
import { rotationQuery } from "../../api/keys.ts";
import { type Provider, providersQuery, type Trial } from "../../api/providers.ts";
import { Busy, Loading } from "../../parts/busy.tsx";
import { Empty } from "../../parts/empty.tsx";
import { focusHeading } from "../../parts/focus.ts";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
import { SeverityShape } from "../../parts/severity.tsx";
import { tell } from "../../parts/toast.tsx";
import { When } from "../../parts/when.tsx";
import { useProvidersTexts } from "../../texts/providers.ts";
import type { ProvidersTexts } from "../../texts/providers-en.ts";
import { useTexts } from "../../texts/texts.tsx";
import { type Kept, ProviderForm } from "./provider-form.tsx";
import "../../style/administration.css";

const route = getRouteApi("/inside/providers");
const SHOWN_ZONES = 8;

export function ProvidersPage() {
  const t = useProvidersTexts();
  const { for: domain } = route.useSearch();
  const providers = useQuery(providersQuery);
  const ahead = useQuery({ ...rotationQuery(domain ?? ""), enabled: domain !== undefined, retry: false });
  const [kept, setKept] = useState<Kept>();
  const outcome = useRef<HTMLDivElement>(null);
  // The form begins anew, and the button that was pressed is gone with what was typed.
  useEffect(() => {
    if (kept) outcome.current?.focus();
  }, [kept]);
  const zone = ahead.data?.zone;
  const all = providers.data?.providers;
  const justKept = all?.some(({ id }) => id === kept?.provider.id) ? kept : undefined;
  // Beside one that takes all, another has to say what is its own.
  const isTaken = all?.some(({ zones }) => zones === null) ?? false;
  const isWaiting = domain !== undefined && ahead.isPending;
  return (
    <Page title={t.title} lead={t.lead} width="narrow">
      {(providers.isPending || isWaiting) && <Loading />}
      <Problem error={providers.error} onRetry={() => void providers.refetch()} />
      {all?.length === 0 && <Empty title={t.none}>{t.noneHint}</Empty>}
      {all && all.length > 0 && (
        <ul className="users" aria-label={t.list}>
          {all.map((provider, at) => (
            <ProviderCard key={provider.id ?? `settings ${at}`} provider={provider} />
          ))}
        </ul>
      )}
      {all && !isWaiting && (
        <section className="card stack" aria-labelledby="enter-provider">
          <h2 id="enter-provider">{t.enter}</h2>
          <ProviderForm
            key={kept?.provider.id}
            tryZone={zone}
            zones={isTaken && kept === undefined && zone !== undefined ? [zone] : undefined}
            onKept={setKept}
          />
          <div role="status" ref={outcome} tabIndex={-1}>
            {justKept && (
              <div
                className={`note ${justKept.trials.every(({ works }) => works) ? "note-ok" : "note-warning"}`}
              >
                <p>
                  <strong>{t.kept(nameOf(justKept.provider, t))}</strong>
                </p>
                <Trials trials={justKept.trials} />
                {domain !== undefined && (
                  <Link to="/domains/$domain/publish" params={{ domain }} className="button primary">
                    {t.publish(domain)}
                  </Link>
                )}
              </div>
            )}
          </div>
        </section>
      )}
    </Page>
  );
}

const focusIt = (element: HTMLElement | null) => element?.focus();

const isKind = (kind: string, t: ProvidersTexts): kind is keyof ProvidersTexts["kinds"] => kind in t.kinds;
const nameOf = ({ provider }: Provider, t: ProvidersTexts): string =>
  isKind(provider, t) ? t.kinds[provider] : provider;

function ProviderCard({ provider }: { readonly provider: Provider }) {
  const t = useProvidersTexts();
  const client = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const card = useRef<HTMLLIElement>(null);
  const [kept, setKept] = useState<Kept>();
  const { id, zones, enteredAt, enteredBy } = provider;
  const name = nameOf(provider, t);
  const read = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: providersQuery.queryKey }),
      client.invalidateQueries({ queryKey: ["domain"] }),
    ]);
  const of = { params: { path: { id: id ?? "" } } };
  const test = useMutation({
    mutationFn: () => answer(POST("/api/providers/{id}/try", { ...of, body: {} })),
    onMutate: () => setKept(undefined),
  });
  const restore = useMutation({
    mutationFn: () => answer(POST("/api/providers/{id}/restore", of)),
    onSuccess: read,
    onError: (error) => tell(error.message),
  });
  const remove = useMutation({
    mutationFn: () => answer(DELETE("/api/providers/{id}", of)),
    onSuccess: () => {
      focusHeading(document.querySelector("main"));
      tell(t.removed(name), () => restore.mutate());
      return read();
    },
  });
  const trials = kept?.trials ?? test.data?.trials;
  const isBusy = test.isPending || remove.isPending;
  const close = () => {
    setOpen(false);
    focusHeading(card.current);
  };
  return (
    <li className="card stack provider" ref={card}>
      <div className="provider-head">
        <h2>{name}</h2>
        {id !== null && !isOpen && (
          <div className="actions">
            <button
              type="button"
              disabled={isBusy}
              aria-label={`${t.test}: ${name}`}
              onClick={() => test.mutate()}
            >
              {t.test}
            </button>
            <button
              type="button"
              disabled={isBusy}
              aria-label={`${t.again}: ${name}`}
              onClick={() => setOpen(true)}
            >
              {t.again}
            </button>
            <button
              type="button"
              disabled={isBusy}
              aria-label={`${t.remove}: ${name}`}
              onClick={() => remove.mutate()}
            >
              {t.remove}
            </button>
          </div>
        )}
      </div>
      <dl className="facts">
        <dt>{t.zones}</dt>
        <dd>{zones === null ? t.allZones : <Zones zones={zones} />}</dd>
        <Settings provider={provider} />
      </dl>
      <p className="hint">
        {enteredAt && enteredBy ? (
          <>
            {t.enteredBy(enteredBy)} <When at={enteredAt} show="both" />
          </>
        ) : (
          <>
            {t.bySettings} <Link to="/settings">{t.toSettings}</Link>
          </>
        )}
      </p>
      {isOpen && (
        <section ref={focusIt} tabIndex={-1} className="stack provider-anew" aria-label={t.anew(name)}>
          <ProviderForm
            before={provider}
            onKept={(after) => {
              setKept(after);
              close();
            }}
            onCancel={close}
          />
        </section>
      )}
      {test.isPending && <Busy text={t.trying} />}
      <div role="status">{trials && !test.isPending && <Trials trials={trials} />}</div>
      <Problem error={test.error ?? remove.error} />
    </li>
  );
}

function Zones({ zones }: { readonly zones: readonly string[] }) {
  const t = useProvidersTexts();
  const rest = zones.slice(SHOWN_ZONES);
  return (
    <>
      {zones.slice(0, SHOWN_ZONES).join(", ")}
      {rest.length > 0 && (
        <details>
          <summary>{t.more(rest.length)}</summary>
          {rest.join(", ")}
        </details>
      )}
    </>
  );
}

/** What is no secret of it. */
function Settings({ provider: { settings } }: { readonly provider: Provider }) {
  const t = useProvidersTexts();
  const { key, ...rest } = settings as { readonly key?: { name?: string; algorithm?: string } };
  const names = Object.keys(t.fields) as (keyof typeof t.fields)[];
  const shown = names.flatMap((name) => {
    const value = (rest as Readonly<Record<string, unknown>>)[name];
    if (value === undefined || value === false) return [];
    return [[t.fields[name], Array.isArray(value) ? value.join(" ") : String(value)] as const];
  });
  return (
    <>
      {shown.map(([name, value]) => (
        <Fact key={name} name={name} value={value} />
      ))}
      {key?.name && <Fact name={t.fields.key} value={[key.name, key.algorithm].filter(Boolean).join(", ")} />}
    </>
  );
}

const Fact = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <>
    <dt>{name}</dt>
    <dd>
      <code>{value}</code>
    </dd>
  </>
);

function Trials({ trials }: { readonly trials: readonly Trial[] }) {
  const t = useProvidersTexts();
  const { problem } = useTexts();
  if (trials.length === 0) return <p className="hint">{t.nothingTried}</p>;
  return (
    <ul className="trials">
      {trials.map(({ zone, works, detail }) => (
        <li key={zone}>
          <SeverityShape severity={works ? "ok" : "error"} />
          <span>
            <strong>{zone}</strong> {works ? t.works : t.fails}.{" "}
            <span className="hint" lang="en">
              {problem.sentence(detail)}
            </span>
          </span>
        </li>
      ))}
    </ul>
  );
}
