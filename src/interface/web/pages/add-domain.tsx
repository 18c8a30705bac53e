/** A domain taken in: what comes after the @, what is there already, and what is to be done next. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, lazy, Suspense, useState } from "react";
import { answer, GET, POST, PUT } from "../api/client.ts";
import { domainChanged, planQuery } from "../api/domains.ts";
import { useJob } from "../api/job.ts";
import { isProblem } from "../api/problem.ts";
import { useSession } from "../api/session.ts";
import { serversQuery } from "../api/tools.ts";
import { Busy, Loading } from "../parts/busy.tsx";
import { Field } from "../parts/field.tsx";
import { Page } from "../parts/page.tsx";
import { faultOf, Problem } from "../parts/problem.tsx";
import type { Texts } from "../texts/en.ts";
import { useTexts } from "../texts/texts.tsx";
import "../style/add-domain.css";
import "../style/domain.css";

const PlanTable = lazy(async () => ({ default: (await import("./domain/plan-table.tsx")).PlanTable }));
const Records = lazy(async () => ({ default: (await import("./domain/records.tsx")).Records }));

type Content = Record<string, unknown>;

interface Proposal {
  readonly domain: string;
  readonly content: Content;
  readonly servers: readonly { readonly host: string; readonly addresses: readonly string[] }[];
  readonly found: readonly { readonly what: string; readonly text: string }[];
  readonly untold: readonly string[];
  readonly left: readonly string[];
}

const textOf = (event: FormEvent<HTMLFormElement>) => {
  event.preventDefault();
  const form = new FormData(event.currentTarget);
  return (name: string) => String(form.get(name) ?? "").trim();
};

type Server = Readonly<Record<string, unknown>>;

const serversOf = (content: Content): readonly Server[] =>
  (content["servers"] as readonly Server[] | undefined) ?? [];
/** The name by which a server is known; what is typed may be written otherwise. */
const hostOf = ({ host }: Server): string => String(host).toLowerCase().replace(/\.$/, "");

/**
 * New servers and lifetimes beside those that are described already, which stay as they are. `earlier`: hosts that an
 * earlier try has added; what is typed by now takes their place. Returns the hosts that were new.
 */
async function addCommon(
  { servers: added = [], ttl }: { readonly servers?: readonly Server[]; readonly ttl?: unknown },
  earlier: readonly string[] = [],
): Promise<readonly string[]> {
  if (added.length === 0 && ttl === undefined && earlier.length === 0) return [];
  const { content, revision } = await answer(GET("/api/servers"));
  const kept = serversOf(content).filter((server) => !earlier.includes(hostOf(server)));
  const fresh = added.filter((server) => !kept.some((each) => hostOf(each) === hostOf(server)));
  const next = {
    ...content,
    servers: [...kept, ...fresh],
    ...(ttl !== undefined && { ttl: { ...(ttl as Content), ...(content["ttl"] as Content | undefined) } }),
  };
  if (JSON.stringify(next) !== JSON.stringify(content))
    await answer(PUT("/api/servers", { body: { content: next, revision } }));
  return fresh.map(hostOf);
}

export function AddDomainPage() {
  const { add: t } = useTexts();
  const file = useSession()?.descriptionFile ?? undefined;
  return file === undefined ? (
    <AddDomain />
  ) : (
    <Page title={t.title} width="narrow">
      <p className="note">{t.byFile(file)}</p>
    </Page>
  );
}

function AddDomain() {
  const { add: t } = useTexts();
  const [taken, setTaken] = useState<string>();
  const [jobId, setJobId] = useState<string>();
  const [isPasting, setPasting] = useState(false);
  const job = useJob(jobId);
  const propose = useMutation({
    mutationFn: (domain: string) => answer(POST("/api/propose", { body: { domain } })),
    onSuccess: ({ job: id }) => setJobId(id),
  });
  const proposal = job?.state === "done" ? (job.result as Proposal) : undefined;
  if (taken !== undefined) return <Taken domain={taken} />;
  if (proposal !== undefined)
    return <Review proposal={proposal} onTaken={setTaken} onBack={() => setJobId(undefined)} />;
  if (isPasting) return <Paste onTaken={setTaken} onBack={() => setPasting(false)} />;
  const isBusy = propose.isPending || job?.state === "running";
  const failure = job?.state === "failed" ? (job.result as { what?: string }).what : undefined;
  return (
    <Page title={t.title} width="narrow" lead={t.lead}>
      <form
        className="card wizard"
        onSubmit={(event) => propose.mutate(textOf(event)("domain").replace(/^.*@/, ""))}
      >
        <Field
          label={t.question}
          hint={t.questionHint}
          name="domain"
          inputMode="url"
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          placeholder="example.org"
          required
          maxLength={320}
          fault={faultOf(propose.error, "domain")}
        />
        {faultOf(propose.error, "domain") === undefined && <Problem error={propose.error} />}
        {!isBusy && job?.state === "gone" && (
          <p className="hint" role="status">
            {t.gone}
          </p>
        )}
        {!isBusy && failure && (
          <p className="fault" role="alert" lang="en">
            {failure}
          </p>
        )}
        {isBusy && <Busy text={t.reading} />}
        <button type="submit" className="primary" disabled={isBusy}>
          {t.goOn}
        </button>
      </form>
      <p>
        <button type="button" className="plain" onClick={() => setPasting(true)}>
          {t.paste}
        </button>
      </p>
    </Page>
  );
}

function Review({
  proposal: { domain, content, servers, found, untold, left },
  onTaken,
  onBack,
}: {
  readonly proposal: Proposal;
  readonly onTaken: (domain: string) => void;
  readonly onBack: () => void;
}) {
  const { add: t } = useTexts();
  const client = useQueryClient();
  const common = useQuery(serversQuery);
  const [added, setAdded] = useState<readonly string[]>([]);
  // What this page has added before a refusal is still typed here, and may be mended here.
  const known = serversOf(common.data?.content ?? {}).filter((server) => !added.includes(hostOf(server)));
  const [receives, setReceives] = useState(content["receives"] !== false);
  const [text, setText] = useState(() => JSON.stringify(content, undefined, 2));
  const needsServer = receives && servers.length === 0 && known.length === 0 && content["mx"] === undefined;
  const take = useMutation({
    mutationFn: async (typed: (name: string) => string) => {
      const described = JSON.parse(text) as Content;
      const own = needsServer
        ? [
            {
              host: typed("host"),
              addresses: typed("addresses")
                .split(/[\s,]+/)
                .filter((one) => one !== ""),
            },
          ]
        : receives
          ? servers
          : [];
      setAdded(await addCommon({ servers: own }, added));
      if (!receives) for (const key of ["mx", "mtaSts"]) delete described[key];
      await answer(
        POST("/api/domains", {
          body: { domain, content: { ...described, ...(receives ? {} : { receives: false }) } },
        }),
      );
      await Promise.all([
        domainChanged(client, domain),
        client.invalidateQueries({ queryKey: serversQuery.queryKey }),
      ]);
    },
    onSuccess: () => onTaken(domain),
  });
  const isJson = (() => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  })();
  return (
    <Page title={t.reviewTitle(domain)} width="narrow" lead={found.length > 0 ? t.foundLead : t.nothingFound}>
      {found.length > 0 && (
        <dl className="card found">
          {found.map(({ what, text: line }) => (
            <div key={`${what} ${line}`}>
              <dt>{what}</dt>
              <dd>
                <code>{line}</code>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {untold.length > 0 && (
        <div className="note note-warning">
          <p>{t.untold}</p>
          <ul lang="en">
            {untold.slice(0, 5).map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        </div>
      )}
      {left.length > 0 && (
        <div className="note">
          <p>{t.left}</p>
          <ul lang="en">
            {left.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        </div>
      )}
      <form className="card wizard" onSubmit={(event) => take.mutate(textOf(event))}>
        <label className="check">
          <input type="checkbox" checked={receives} onChange={({ target }) => setReceives(target.checked)} />
          {t.receives(domain)}
        </label>
        {receives && servers.length > 0 && (
          <p>
            {t.servers} <code>{servers.map(({ host }) => host).join(", ")}</code>
          </p>
        )}
        {needsServer && (
          <>
            <Field
              label={t.host}
              hint={t.hostHint}
              name="host"
              required
              autoCapitalize="none"
              spellCheck={false}
              defaultValue={`mail.${domain}`}
            />
            <Field
              label={t.addresses}
              hint={t.addressesHint}
              name="addresses"
              required
              autoCapitalize="none"
              spellCheck={false}
              placeholder="192.0.2.25 2001:db8::25"
            />
          </>
        )}
        <details>
          <summary>{t.details}</summary>
          <textarea
            className="text"
            rows={12}
            aria-label={t.details}
            value={text}
            onChange={({ target }) => setText(target.value)}
            spellCheck={false}
            aria-invalid={!isJson}
          />
          {!isJson && <p className="fault">{t.notJson}</p>}
        </details>
        <Problem error={take.error} />
        <div className="actions">
          <button type="submit" className="primary" disabled={take.isPending || !isJson || common.isPending}>
            {t.take}
          </button>
          <button type="button" onClick={onBack}>
            {t.back}
          </button>
        </div>
      </form>
    </Page>
  );
}

function Paste({
  onTaken,
  onBack,
}: {
  readonly onTaken: (domain: string) => void;
  readonly onBack: () => void;
}) {
  const { add: t } = useTexts();
  const client = useQueryClient();
  const [text, setText] = useState("");
  const read = useMutation({ mutationFn: () => answer(POST("/api/import", { body: { text } })) });
  const fresh = read.data?.domains.filter(({ state }) => state === "new") ?? [];
  const take = useMutation({
    mutationFn: async (domains: typeof fresh) => {
      await addCommon(read.data!.common);
      for (const { domain, content } of domains)
        await answer(POST("/api/domains", { body: { domain, content } }));
      await client.invalidateQueries();
    },
    onSuccess: (_, domains) => onTaken(domains[0]!.domain),
    // Some may be taken in by now: what is still new is read anew.
    onError: () => {
      read.mutate();
      void client.invalidateQueries();
    },
  });
  return (
    <Page title={t.pasteTitle} width="narrow" lead={t.pasteLead}>
      <form
        className="card wizard"
        onSubmit={(event) => {
          event.preventDefault();
          take.reset();
          read.mutate();
        }}
      >
        <textarea
          className="text"
          rows={16}
          aria-label={t.pasteLabel}
          value={text}
          onChange={({ target }) => {
            setText(target.value);
            read.reset();
            take.reset();
          }}
          spellCheck={false}
          required
          placeholder={
            "servers:\n  - host: mail.example.org\n    addresses: [192.0.2.25]\ndomains:\n  - domain: example.org"
          }
        />
        <Problem error={read.error ?? take.error} />
        {read.data && <ReadText read={read.data} />}
        <div className="actions">
          {fresh.length > 0 ? (
            <button
              type="button"
              className="primary"
              disabled={take.isPending}
              onClick={() => take.mutate(fresh)}
            >
              {t.takeMany(fresh.length)}
            </button>
          ) : (
            <button type="submit" className="primary" disabled={read.isPending}>
              {t.read}
            </button>
          )}
          <button type="button" onClick={onBack}>
            {t.back}
          </button>
        </div>
      </form>
    </Page>
  );
}

interface ReadTextProps {
  readonly read: {
    readonly common: Content;
    readonly ignored: readonly string[];
    readonly domains: readonly {
      readonly domain: string;
      readonly state: keyof Texts["add"]["importState"];
    }[];
    readonly left: number;
  };
}

/** What a text holds, and what of it is not taken in. */
function ReadText({ read: { common, ignored, domains, left } }: ReadTextProps) {
  const { add: t } = useTexts();
  return (
    <>
      <ul className="import">
        {domains.map(({ domain, state }) => (
          <li key={domain}>
            <code>{domain}</code> <span className="hint">{t.importState[state]}</span>
          </li>
        ))}
      </ul>
      {left > 0 && <p className="note note-warning">{t.importLeft(left)}</p>}
      {common["ttl"] !== undefined && <p className="hint">{t.importTtl}</p>}
      {ignored.length > 0 && (
        <div className="note">
          <p>{t.importIgnored}</p>
          <ul>
            {ignored.map((part) => (
              <li key={part}>
                <code>{part}</code>
                {part === "publish" ? `: ${t.importPublish} ` : `: ${t.importMilter}`}
                {part === "publish" && (
                  <Link to="/providers" search={{}}>
                    {t.toProviders}
                  </Link>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

/** What is next: the plan where this server may publish the zone, else the records to copy. */
function Taken({ domain }: { readonly domain: string }) {
  const { add: t } = useTexts();
  const [host, setHost] = useState<string>();
  const plan = useQuery({ ...planQuery(domain), retry: false });
  const check = useQuery({
    queryKey: ["first check", domain],
    queryFn: () => answer(POST("/api/domains/{domain}/check", { params: { path: { domain } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Page
      title={t.takenTitle(domain)}
      lead={plan.data ? t.takenPlan(plan.data.provider) : plan.isError && t.takenRecords}
      actions={
        <Link
          to="/domains/$domain"
          params={{ domain }}
          search={check.data ? { checking: check.data.job } : {}}
          className="button primary"
        >
          {t.toDomain}
        </Link>
      }
    >
      <Suspense fallback={<Loading />}>
        {plan.isPending && <Loading />}
        {plan.data && <PlanTable plan={plan.data.plan} />}
        {isProblem(plan.error, "refused") ? (
          <p className="note">
            {t.takenNobody}{" "}
            <Link to="/providers" search={{ for: domain }}>
              {t.toProviders}
            </Link>
          </p>
        ) : (
          <Problem error={plan.error} onRetry={() => void plan.refetch()} />
        )}
        {plan.isError && <Records domain={domain} findings={[]} chosenHost={host} onHost={setHost} />}
      </Suspense>
    </Page>
  );
}
