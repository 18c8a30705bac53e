/** Who holds zones: entered once, tried at once; what is secret is never shown again. */
import { z } from "zod";
import { newId } from "../../../access/audit.ts";
import { actorName } from "../../../access/permission.ts";
import type { FailureCause } from "../../../publish/provider.ts";
import type { KnownProvider } from "../../../publish/provider-store.ts";
import { zoneOf } from "../../../records/derive.ts";
import { type EnteredProvider, enteredProvider } from "../../../records/publish-settings.ts";
import { type DomainName, parseDomainName } from "../../../standards/dns/name.ts";
import { describeDomain } from "../described.ts";
import type { ServerParts } from "../parts.ts";
import { notFound, Refusal, stale } from "../problem.ts";
import { type Asked, type Route, route } from "../route.ts";
import { openHolder, openKnown, sealEntered, withoutSecrets } from "../zone-holder.ts";

const MAX_PROVIDERS = 1_000;
/** Of one provider: each is a transfer, or several requests to an API. */
const MAX_TRIED_ZONES = 5;

const trialSchema = z.object({
  zone: z.string(),
  works: z.boolean(),
  detail: z.string(),
});
type Trial = z.output<typeof trialSchema>;

const providerSchema = z.object({
  /** Null for what the server's own settings say: there it is changed. */
  id: z.string().nullable(),
  provider: z.string(),
  zones: z.array(z.string()).nullable(),
  /** Without secrets. */
  settings: z.record(z.string(), z.unknown()),
  enteredAt: z.string().nullable(),
  enteredBy: z.string().nullable(),
  revision: z.int().nullable(),
});

const shown = (settings: Readonly<Record<string, unknown>>) => {
  const { provider, zones, ...rest } = settings;
  return {
    provider: String(provider),
    zones: zones === undefined ? null : [...(zones as readonly string[])],
    settings: rest,
  };
};

const providerJson = ({ id, settings, enteredAt, enteredBy, revision }: KnownProvider) => ({
  id,
  ...shown(settings),
  enteredAt: enteredAt.toISOString(),
  enteredBy,
  revision,
});

const zoneName = z
  .string()
  .max(255)
  .transform((text, context) => {
    const read = parseDomainName(text.trim());
    if (read.ok) return read.value;
    context.issues.push({ code: "custom", message: read.problem, input: text });
    return z.NEVER;
  });

const body = z.strictObject({
  entry: enteredProvider,
  /** To try it with, where the entry names no zones. */
  tryZone: zoneName.optional(),
  /** Kept even where the trial fails. */
  evenUntried: z.boolean().default(false),
});
const ofProvider = z.object({ id: z.string().max(100) });

export function providerRoutes(parts: ServerParts): readonly Route[] {
  const { providers, descriptions, now, random } = parts;
  const known = async (id: string, isRemoved = false) => {
    const found = (await providers.list()).find((provider) => provider.id === id);
    if (found === undefined || (found.removedAt !== undefined) !== isRemoved) throw notFound();
    return found;
  };
  const zonesToTry = async (entry: EnteredProvider, tryZone: DomainName | undefined) => {
    if (tryZone !== undefined) return [tryZone];
    if (entry.zones !== undefined) return entry.zones.slice(0, MAX_TRIED_ZONES);
    const [first] = await descriptions.domains({}, { limit: 1 });
    if (first === undefined) return [];
    return [zoneOf(first.domain, (await describeDomain(first, descriptions)).description)];
  };
  const tryOut = async (entry: EnteredProvider, zone: DomainName): Promise<Trial> => {
    const provider = await openHolder(entry, zone, parts);
    const reading = await provider.readZone(zone);
    if (reading.status === "failed") return failedTrial(zone, reading);
    const failure = await provider.tryWriting?.(zone);
    if (failure !== undefined) return failedTrial(zone, failure);
    return { zone, works: true, detail: `${reading.content.rrsets.length} record sets were read.` };
  };
  const tryAll = async (entry: EnteredProvider, tryZone?: DomainName) => {
    const trials: Trial[] = [];
    for (const zone of await zonesToTry(entry, tryZone)) trials.push(await tryOut(entry, zone));
    return trials;
  };
  const tried = async ({ entry, tryZone, evenUntried }: z.output<typeof body>) => {
    const trials = await tryAll(entry, tryZone);
    const failed = trials.find(({ works }) => !works);
    if (failed !== undefined && !evenUntried)
      throw new Refusal(
        "refused",
        `tried with ${failed.zone}: ${failed.detail}`,
        "mend it and try again; nothing was kept",
        { where: "body.entry" },
      );
    return trials;
  };
  const changed = async (before: KnownProvider, change: Partial<KnownProvider>) => {
    const after = { ...before, ...change, revision: before.revision + 1 };
    if ((await providers.change(before, after)) === "stale") throw stale();
    return after;
  };
  const audit = (asked: Asked, action: string, { id, settings }: Pick<KnownProvider, "id" | "settings">) =>
    asked.audit(`provider.${action}`, id, { provider: settings["provider"] });
  return [
    route({
      method: "GET",
      path: "/api/providers",
      gate: "settings.edit",
      summary: "Who holds zones: what the server's settings say, and what was entered. Without secrets.",
      answer: z.object({ providers: z.array(providerSchema) }),
      act: async () => ({
        providers: [
          ...parts.publishEntries.map((entry) => ({
            id: null,
            ...shown(withoutSecrets(entry)),
            enteredAt: null,
            enteredBy: null,
            revision: null,
          })),
          ...(await providers.list()).filter(({ removedAt }) => removedAt === undefined).map(providerJson),
        ],
      }),
    }),
    route({
      method: "POST",
      path: "/api/providers",
      gate: "settings.edit",
      summary: "Enters who holds zones. It is tried, and kept where it works.",
      body,
      status: 201,
      answer: z.object({ provider: providerSchema, trials: z.array(trialSchema) }),
      act: async ({ body }, asked) => {
        if ((await providers.list()).length >= MAX_PROVIDERS)
          throw new Refusal("refused", `there are ${MAX_PROVIDERS} providers already`, "remove some first");
        const trials = await tried(body);
        const id = newId(random);
        const provider: KnownProvider = {
          id,
          settings: withoutSecrets(body.entry),
          sealed: sealEntered(body.entry, id, parts),
          enteredAt: now(),
          enteredBy: actorName(asked.actor),
          revision: 1,
          removedAt: undefined,
        };
        await providers.add(provider);
        await audit(asked, "create", provider);
        return { provider: providerJson(provider), trials };
      },
    }),
    route({
      method: "PUT",
      path: "/api/providers/:id",
      gate: "settings.edit",
      summary: "Enters a provider anew, with its secrets.",
      params: ofProvider,
      body: body.extend({ revision: z.int().min(1) }),
      answer: z.object({ provider: providerSchema, trials: z.array(trialSchema) }),
      act: async ({ params, body }, asked) => {
        const before = await known(params.id);
        if (before.revision !== body.revision) throw stale();
        const trials = await tried(body);
        const after = await changed(before, {
          settings: withoutSecrets(body.entry),
          sealed: sealEntered(body.entry, before.id, parts),
          enteredAt: now(),
          enteredBy: actorName(asked.actor),
        });
        await audit(asked, "change", after);
        return { provider: providerJson(after), trials };
      },
    }),
    route({
      method: "POST",
      path: "/api/providers/:id/try",
      gate: "settings.edit",
      summary: "Tries whether a provider still works: its zone is read, and nothing is changed.",
      params: ofProvider,
      body: z.strictObject({ tryZone: zoneName.optional() }),
      answer: z.object({ trials: z.array(trialSchema) }),
      act: async ({ params, body }) => ({
        trials: await tryAll(openKnown(await known(params.id), parts), body.tryZone),
      }),
    }),
    route({
      method: "DELETE",
      path: "/api/providers/:id",
      gate: "settings.edit",
      summary: "Takes a provider away. For an hour it can be brought back.",
      params: ofProvider,
      status: 204,
      act: async ({ params }, asked) => {
        const after = await changed(await known(params.id), { removedAt: now() });
        await audit(asked, "remove", after);
      },
    }),
    route({
      method: "POST",
      path: "/api/providers/:id/restore",
      gate: "settings.edit",
      summary: "Brings back a provider that was taken away within the hour.",
      params: ofProvider,
      answer: z.object({ provider: providerSchema }),
      act: async ({ params }, asked) => {
        const after = await changed(await known(params.id, true), { removedAt: undefined });
        await audit(asked, "restore", after);
        return { provider: providerJson(after) };
      },
    }),
  ];
}

const REMEDIES: Partial<Record<FailureCause, string>> = {
  credentials: "The key or token is not the right one, or has too few rights.",
  clock: "Set the clocks of both machines.",
  "no-zone": "The provider does not hold this zone.",
};

function failedTrial(
  zone: DomainName,
  { cause, detail }: { readonly cause: FailureCause; readonly detail: string },
): Trial {
  const remedy = REMEDIES[cause];
  return { zone, works: false, detail: remedy === undefined ? detail : `${detail} ${remedy}` };
}
