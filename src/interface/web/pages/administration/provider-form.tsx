/** Who holds zones, typed in: tried before it is kept, and its secret is never shown again. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId, useRef, useState } from "react";
import { answer, POST, PUT } from "../../api/client.ts";
import { ApiProblem, isProblem } from "../../api/problem.ts";
import {
  PROVIDER_KINDS,
  type Provider,
  type ProviderEntry,
  type ProviderKind,
  providersQuery,
  type Trial,
} from "../../api/providers.ts";
import { Busy } from "../../parts/busy.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Field, TextField } from "../../parts/field.tsx";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { useProvidersTexts } from "../../texts/providers.ts";

const ALGORITHMS = ["hmac-sha256", "hmac-sha384", "hmac-sha512"] as const;
const KEY_NAME = "zonepost";
const BIND_LINES = `key "${KEY_NAME}" { algorithm hmac-sha256; secret "…"; };

zone "example.org" {
  # …
  allow-transfer { key "${KEY_NAME}"; };
  update-policy { grant ${KEY_NAME} zonesub ANY; };
};
`;

/** Where tokens are made. */
const TOKEN_PAGES: Partial<Record<ProviderKind, string>> = {
  cloudflare: "https://dash.cloudflare.com/profile/api-tokens",
  route53: "https://console.aws.amazon.com/iam/home#/users",
  hetzner: "https://console.hetzner.com/projects",
  digitalocean: "https://cloud.digitalocean.com/account/api/tokens",
  desec: "https://desec.io/tokens",
  gandi: "https://account.gandi.net/",
};

export interface Kept {
  readonly provider: Provider;
  readonly trials: readonly Trial[];
}

interface ProviderFormProps {
  /** What is entered anew. */
  readonly before?: Provider;
  /** Where it names no zones itself. */
  readonly tryZone?: string | undefined;
  readonly zones?: readonly string[] | undefined;
  readonly onKept: (kept: Kept) => void;
  readonly onCancel?: () => void;
}

export function ProviderForm({ before, tryZone, zones = [], onKept, onCancel }: ProviderFormProps) {
  const t = useProvidersTexts();
  const client = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const kindId = useId();
  const [kind, setKind] = useState<ProviderKind>(
    () => PROVIDER_KINDS.find((each) => each === before?.provider) ?? PROVIDER_KINDS[0],
  );
  const keep = useMutation({
    mutationFn: async (evenUntried: boolean): Promise<Kept> => {
      const entry = entryOf(kind, new FormData(form.current!));
      const body = { entry, evenUntried, ...(tryZone !== undefined && !entry.zones && { tryZone }) };
      if (before?.id == null || before.revision == null) return answer(POST("/api/providers", { body }));
      return answer(
        PUT("/api/providers/{id}", {
          params: { path: { id: before.id } },
          body: { ...body, revision: before.revision },
        }),
      );
    },
    onSuccess: async (kept) => {
      form.current?.reset();
      await client.invalidateQueries({ queryKey: providersQuery.queryKey });
      // What could not be published before may be now.
      void client.invalidateQueries({ queryKey: ["domain"] });
      onKept(kept);
    },
    onError: (error) => {
      if (isProblem(error, "stale")) void client.invalidateQueries({ queryKey: providersQuery.queryKey });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    keep.mutate(false);
  };
  const { error } = keep;
  const isFailedTrial = isProblem(error, "refused") && error.where === "body.entry";
  const isInPlace = !isFailedTrial && error instanceof ApiProblem && error.parts.length > 0;
  const was = before?.provider === kind ? before.settings : {};
  const shownZones = before ? (before.zones ?? []) : zones;
  return (
    <form ref={form} className="stack" autoComplete="off" onSubmit={submit}>
      {before && <p className="hint">{t.anewHint}</p>}
      <div className="field">
        <label htmlFor={kindId}>{t.kind}</label>
        <select
          id={kindId}
          value={kind}
          onChange={({ target }) => {
            setKind(target.value as ProviderKind);
            keep.reset();
          }}
        >
          {PROVIDER_KINDS.map((each) => (
            <option key={each} value={each}>
              {t.kinds[each]}
            </option>
          ))}
        </select>
      </div>
      <Help kind={kind} isOpen={isFailedTrial} />
      <div key={kind} className="provider-fields">
        <KindFields kind={kind} was={was} error={error} />
      </div>
      <TextField
        label={t.ownZones}
        hint={t.ownZonesHint}
        name="zones"
        rows={Math.min(Math.max(2, shownZones.length), 8)}
        autoCapitalize="none"
        defaultValue={shownZones.join("\n")}
        fault={faultOf(error, "entry.zones")}
      />
      {!isInPlace && (
        <Problem error={error}>
          {isFailedTrial && (
            <>
              <p>{kind === "rfc2136" || kind === "powerdns" ? t.failedHint[kind] : t.failedHint.api}</p>
              <button type="button" disabled={keep.isPending} onClick={() => keep.mutate(true)}>
                {t.keepAnyway}
              </button>
            </>
          )}
        </Problem>
      )}
      {keep.isPending && <Busy text={t.keptTrying} />}
      <div className="actions">
        <button type="submit" className="primary" disabled={keep.isPending}>
          {t.keep}
        </button>
        {onCancel && (
          <button type="button" onClick={onCancel}>
            {t.cancel}
          </button>
        )}
      </div>
    </form>
  );
}

/** Only what is typed; `FormData` has no more than that. */
function entryOf(kind: ProviderKind, data: FormData): ProviderEntry {
  const typed = (name: string) => String(data.get(name) ?? "").trim();
  const named = typed("zones")
    .split(/[\s,]+/)
    .filter((each) => each !== "");
  const zones = named.length > 0 ? { zones: named } : {};
  switch (kind) {
    case "rfc2136": {
      const algorithm = ALGORITHMS.find((each) => each === typed("algorithm")) ?? ALGORITHMS[0];
      const key = { name: typed("keyName"), algorithm, secret: typed("secret") };
      return { provider: kind, ...zones, server: typed("server"), key };
    }
    case "powerdns":
      return {
        provider: kind,
        ...zones,
        url: typed("url"),
        server: typed("server"),
        apiKey: typed("apiKey"),
      };
    case "route53":
      return {
        provider: kind,
        ...zones,
        accessKeyId: typed("accessKeyId"),
        secretAccessKey: typed("secretAccessKey"),
      };
    case "cloudflare":
    case "hetzner":
    case "digitalocean":
    case "desec":
    case "gandi":
      return { provider: kind, ...zones, token: typed("token") };
    default:
      return kind satisfies never;
  }
}

interface KindFieldsProps {
  readonly kind: ProviderKind;
  /** What was entered before, without secrets. */
  readonly was: Readonly<Record<string, unknown>>;
  readonly error: unknown;
}

function KindFields({ kind, was, error }: KindFieldsProps): ReactNode {
  const t = useProvidersTexts();
  const algorithmId = useId();
  const said = (value: unknown, usual?: string) => (typeof value === "string" ? value : usual);
  const plain = { required: true, autoCapitalize: "none", spellCheck: false, autoComplete: "off" } as const;
  const secret = (name: string, label: string, where = name) => (
    <Field
      label={label}
      hint={t.secretHint}
      name={name}
      type="password"
      maxLength={1000}
      {...plain}
      fault={faultOf(error, `entry.${where}`)}
    />
  );
  switch (kind) {
    case "rfc2136": {
      const key = (was["key"] ?? {}) as Readonly<Record<string, unknown>>;
      return (
        <>
          <Field
            label={t.server}
            hint={t.serverHint}
            name="server"
            maxLength={300}
            placeholder="192.0.2.53"
            defaultValue={said(was["server"])}
            {...plain}
            fault={faultOf(error, "entry.server")}
          />
          {secret("secret", t.keySecret, "key.secret")}
          <Field
            label={t.keyName}
            name="keyName"
            maxLength={255}
            defaultValue={said(key["name"], KEY_NAME)}
            {...plain}
            fault={faultOf(error, "entry.key.name")}
          />
          <div className="field">
            <label htmlFor={algorithmId}>{t.algorithm}</label>
            <select id={algorithmId} name="algorithm" defaultValue={said(key["algorithm"], ALGORITHMS[0])}>
              {ALGORITHMS.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </div>
        </>
      );
    }
    case "powerdns":
      return (
        <>
          <Field
            label={t.url}
            name="url"
            type="url"
            defaultValue={said(was["url"], "http://127.0.0.1:8081")}
            {...plain}
            fault={faultOf(error, "entry.url")}
          />
          <Field
            label={t.serverId}
            name="server"
            maxLength={300}
            defaultValue={said(was["server"], "localhost")}
            {...plain}
            fault={faultOf(error, "entry.server")}
          />
          {secret("apiKey", t.apiKey)}
        </>
      );
    case "route53":
      return (
        <>
          {secret("accessKeyId", t.accessKeyId)}
          {secret("secretAccessKey", t.secretAccessKey)}
        </>
      );
    case "cloudflare":
    case "hetzner":
    case "digitalocean":
    case "desec":
    case "gandi":
      return secret("token", t.token);
    default:
      return kind satisfies never;
  }
}

function Help({ kind, isOpen }: { readonly kind: ProviderKind; readonly isOpen: boolean }) {
  const t = useProvidersTexts();
  const page = TOKEN_PAGES[kind];
  if (kind !== "rfc2136")
    return (
      <p className="hint">
        {t.help[kind]}{" "}
        {page && (
          <a href={page} rel="noreferrer" target="_blank">
            {t.helpPage}
          </a>
        )}
      </p>
    );
  return (
    <details className="provider-help" open={isOpen}>
      <summary>{t.help.rfc2136}</summary>
      <p className="hint">{t.bindHint}</p>
      <pre className="block">{BIND_LINES}</pre>
      <CopyButton text={BIND_LINES} what={t.snippet} isNamed />
    </details>
  );
}
