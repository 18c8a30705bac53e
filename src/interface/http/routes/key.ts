/** DKIM keys of a domain. One route alone shows a private half, to people who have shown their password again. */
import { z } from "zod";
import { EXPORT_FORMATS, exportKeys } from "../../../keys/export.ts";
import { RSA_BITS } from "../../../keys/generate.ts";
import { type DkimKey, newKey } from "../../../keys/key.ts";
import { sameKeyName } from "../../../keys/key-name.ts";
import { keyOwner, keyRecordShapes } from "../../../keys/key-record-shapes.ts";
import { makeKey } from "../../../keys/make-key.ts";
import { outlooksOf } from "../../../keys/outlook.ts";
import { readPrivateKey } from "../../../keys/private-text.ts";
import { barKey, type Step } from "../../../keys/rotation.ts";
import { openSealedKey, sealKey } from "../../../keys/sealing.ts";
import { DATED_SELECTOR, selectorFromTemplate } from "../../../keys/selector.ts";
import { sightText } from "../../../keys/sighting.ts";
import { cannotStore, dnsHostById, formFor } from "../../../records/dns-host.ts";
import { DNS_HOSTS } from "../../../records/dns-hosts.ts";
import { formFields } from "../../../records/form.ts";
import { zoneLine } from "../../../records/zone-listing.ts";
import { describeDkimKey, dkimFingerprint } from "../../../standards/dkim/public-key.ts";
import { parseDkimSelector } from "../../../standards/dkim/selector.ts";
import type { DomainName } from "../../../standards/dns/name.ts";
import type { SeenKey } from "../../../watch/key-look.ts";
import {
  keyRecord,
  keyZone,
  needsZone,
  type PublishedStep,
  publishKeyStep,
} from "../../../watch/key-publish.ts";
import { lanesToBegin, turnKeys } from "../../../watch/key-turn.ts";
import { startRotation } from "../../../watch/rotation-driver.ts";
import { describeDomain } from "../described.ts";
import { formSchema, hostFields, ofDomain } from "../domain-schema.ts";
import { keyTurns } from "../key-turns.ts";
import type { ServerParts } from "../parts.ts";
import { requirePassword } from "../password-again.ts";
import { notFound, Refusal, stale } from "../problem.ts";
import { type Asked, type Route, route } from "../route.ts";
import { canPublishInto, openZone } from "../zone.ts";

const selector = z
  .string()
  .max(253)
  .transform((text, context) => {
    const read = parseDkimSelector(text);
    if (read.ok) return read.value;
    context.issues.push({ code: "custom", message: read.problem, input: text });
    return z.NEVER;
  });
const ofKey = ofDomain.extend({ selector });

const keySchema = z.object({
  owner: z.string(),
  selector: z.string(),
  state: z.string(),
  barred: z.string().nullable(),
  kind: z.string(),
  fingerprint: z.string(),
  createdAt: z.string(),
  lastSignedAt: z.string().nullable(),
});

const keyJson = (key: DkimKey) => ({
  owner: keyOwner(key),
  selector: key.dkimSelector,
  state: key.state,
  barred: key.barred ?? null,
  kind: describeDkimKey(key.publicKey),
  fingerprint: dkimFingerprint(key.publicKey),
  createdAt: key.createdAt.toISOString(),
  lastSignedAt: key.lastSignedAt?.toISOString() ?? null,
});

const stepSchema = z.object({
  action: z.string(),
  selector: z.string().nullable(),
  until: z.string().nullable(),
  reason: z.string(),
  published: z.object({ status: z.string(), detail: z.string() }).nullable(),
});

const aheadSchema = z.object({
  state: z.string(),
  condition: z.enum(["record", "caches", "newest", "successor", "mail", "emptied", "taken-away"]),
  earliest: z.string().nullable(),
});

/** Several looks and applies in one answer are bounded: a domain has a few keys. */
const MAX_KEYS = 40;
const MIN_RSA_BITS = 1024;

export function keyRoutes(parts: ServerParts): readonly Route[] {
  const { keys, descriptions, now, random, makeKeyPair, sealKey: master } = parts;
  const inTurn = keyTurns();
  const oneKey = async (domain: DomainName, dkimSelector: DkimKey["dkimSelector"]) => {
    const key = await keys.get({ signingDomain: domain, dkimSelector });
    if (key === undefined) throw notFound();
    return key;
  };
  const requireRoom = async (domain: DomainName) => {
    if ((await keys.list(domain)).filter(({ state }) => state !== "removed").length >= MAX_KEYS)
      throw new Refusal("refused", `${domain} has ${MAX_KEYS} keys already`, "retire and remove some first");
  };
  const generate = async (asked: Asked, wanted: Parameters<typeof makeKey>[1]) => {
    const { domain } = asked.domain;
    const made = await inTurn(asked.domain, async () => {
      await requireRoom(domain);
      return makeKey(domain, wanted, { store: keys, sealKey: master, makeKeyPair, random, now });
    });
    if (!made.ok) throw new Refusal("refused", made.problem, "choose another", { where: "body" });
    await asked.audit("key.create", keyOwner(made.value.key));
    await startRotation(domain, parts);
    return made.value;
  };
  return [
    route({
      method: "GET",
      path: "/api/domains/:domain/keys",
      gate: "own.read",
      summary: "The keys of a domain, the oldest first.",
      params: ofDomain,
      answer: z.object({ keys: z.array(keySchema) }),
      act: async (_, { domain }) => ({ keys: (await keys.list(domain.domain)).map(keyJson) }),
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/keys",
      gate: "own.keys",
      summary: "Makes a key; it signs once every name server shows it.",
      params: ofDomain,
      body: z.strictObject({
        selector: z.string().max(63).default(DATED_SELECTOR),
        algorithm: z.enum(["rsa", "ed25519"]).default("rsa"),
        bits: z.literal(RSA_BITS).optional(),
      }),
      status: 201,
      answer: z.object({ key: keySchema, warning: z.string().nullable() }),
      act: async ({ body }, asked) => {
        const { key, warning } = await generate(asked, body);
        return { key: keyJson(key), warning: warning ?? null };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/keys/import",
      gate: "own.keys",
      summary: "Takes in a private key that exists already.",
      params: ofDomain,
      body: z.strictObject({ selector, privateKey: z.string().max(20_000) }),
      status: 201,
      answer: z.object({ key: keySchema }),
      act: async ({ body }, asked) => {
        const { domain } = asked.domain;
        const pair = readPrivateKey(body.privateKey);
        if (!pair.ok)
          throw new Refusal("refused", pair.problem, "send it in PEM", { where: "body.privateKey" });
        const { publicKey } = pair.value;
        if (publicKey.keyType === "rsa" && publicKey.modulusBits < MIN_RSA_BITS)
          throw new Refusal(
            "refused",
            `verifiers refuse RSA keys of ${publicKey.modulusBits} bits (RFC 8301 §3.2)`,
            "make a new one",
            { where: "body.privateKey" },
          );
        const name = { signingDomain: domain, dkimSelector: body.selector };
        const key = newKey(
          name,
          pair.value.publicKey,
          sealKey(pair.value.privateKey, name, master(), random),
          now(),
        );
        const put = await inTurn(asked.domain, async () => {
          await requireRoom(domain);
          return keys.put(key);
        });
        if (put === "taken")
          throw new Refusal("taken", `there is a key ${keyOwner(key)} already`, "choose another selector");
        await asked.audit("key.import", keyOwner(key));
        await startRotation(domain, parts);
        return { key: keyJson(key) };
      },
    }),
    route({
      method: "GET",
      path: "/api/domains/:domain/keys/:selector",
      gate: "own.read",
      summary: "A key, and its record in every shape that forms and files want.",
      params: ofKey,
      query: z.object({ host: z.string().max(100).optional() }),
      answer: z.object({
        key: keySchema,
        shapes: z.array(z.object({ name: z.string(), text: z.string() })),
        /** As most forms ask; null where the name would be too long in the zone that it belongs in. */
        form: formSchema.nullable(),
        zoneText: z.string(),
        /** In the words of the named host's form. */
        host: hostFields.nullable(),
        cannotStore: z.string().nullable(),
        hosts: z.array(z.object({ id: z.string(), name: z.string() })),
      }),
      act: async ({ params, query }, { domain: stored }) => {
        const key = await oneKey(params.domain, params.selector);
        const { description } = await describeDomain(stored, descriptions);
        const zone = keyZone(stored.domain, description);
        const record = keyRecord(key, { description, zone });
        const host = query.host === undefined ? undefined : dnsHostById(query.host);
        const atHost = record && host;
        return {
          key: keyJson(key),
          shapes: keyRecordShapes(key).map(({ name, text }) => ({ name, text })),
          form: record === undefined ? null : { ...formFields(record, zone) },
          zoneText: record === undefined ? "" : zoneLine(record),
          host: atHost === undefined ? null : formFor(record!, zone, atHost).map((field) => ({ ...field })),
          cannotStore: atHost === undefined ? null : (cannotStore(record!, atHost) ?? null),
          hosts: DNS_HOSTS.map(({ id, name }) => ({ id, name })),
        };
      },
    }),
    route({
      method: "GET",
      path: "/api/domains/:domain/rotation",
      gate: "own.read",
      summary:
        "What each key has been through and what is ahead of it, by the looks so far; nothing is asked.",
      params: ofDomain,
      answer: z.object({
        /** In which the keys' records belong. */
        zone: z.string(),
        canPublish: z.boolean(),
        proposedSelector: z.string(),
        keys: z.array(
          z.object({
            selector: z.string(),
            past: z.array(z.object({ state: z.string(), at: z.string() })),
            ahead: z.array(aheadSchema),
          }),
        ),
      }),
      act: async (_, { domain: stored, actor }) => {
        const all = await keys.list(stored.domain);
        const { description } = await describeDomain(stored, descriptions);
        const zone = keyZone(stored.domain, description);
        const taken = new Set(all.map(({ dkimSelector }) => dkimSelector));
        const proposed = selectorFromTemplate(DATED_SELECTOR, now(), (each) => taken.has(each));
        const lanes = [...Map.groupBy(all, ({ publicKey }) => publicKey.keyType).values()];
        return {
          zone,
          canPublish: await canPublishInto(zone, actor, parts),
          proposedSelector: proposed.ok ? proposed.value : "",
          keys: lanes.flatMap(outlooksOf).map(({ key, past, ahead }) => ({
            selector: key.dkimSelector,
            past: past.map(({ state, at }) => ({ state, at: at.toISOString() })),
            ahead: ahead.map(({ state, condition, earliest }) => ({
              state,
              condition,
              earliest: earliest?.toISOString() ?? null,
            })),
          })),
        };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/keys/verify",
      gate: "own.check",
      summary: "What every name server shows of the keys, now; keys move on by it, as by every look.",
      params: ofDomain,
      answer: z.object({
        keys: z.array(
          z.object({
            selector: z.string(),
            state: z.string(),
            servers: z.array(
              z.object({
                server: z.string(),
                sight: z.string(),
                shows: z.string(),
                ttlSeconds: z.int().nullable(),
              }),
            ),
            /** From then on no cache holds anything else than the key; null until every name server shows it. */
            cachesClearAt: z.string().nullable(),
            /** How long a cache may hold what stood there before, or that nothing did; null where nobody says. */
            cachedSeconds: z.int().nullable(),
            next: z
              .object({ action: z.string(), until: z.string().nullable(), reason: z.string() })
              .nullable(),
          }),
        ),
      }),
      act: async (_, { domain: { domain } }) => {
        const lanes = await turnKeys(domain, parts.world().authoritative, keys, now);
        if (lanes === undefined) throw stale();
        return { keys: lanes.flatMap((lane) => lane.seen.map((seen) => seenJson(seen, lane.steps))) };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/keys/rotate",
      gate: "own.keys",
      summary:
        "Goes on with the rotation by one step, as far as name servers allow; begins one where that is said.",
      params: ofDomain,
      body: z.strictObject({ begin: z.boolean().default(false), publish: z.boolean().default(false) }),
      answer: z.object({ steps: z.array(stepSchema) }),
      act: async ({ body }, asked) => {
        const stored = asked.domain;
        const { domain } = stored;
        if (body.begin) {
          const { algorithms, waiting } = lanesToBegin(await keys.list(domain));
          if (waiting !== undefined)
            throw new Refusal("refused", `${keyOwner(waiting)} is on its way already`, "go on without begin");
          for (const algorithm of algorithms) await generate(asked, { selector: DATED_SELECTOR, algorithm });
        }
        const lanes = await turnKeys(domain, parts.world().authoritative, keys, now);
        if (lanes === undefined) throw stale();
        const steps: z.output<typeof stepSchema>[] = [];
        for (const step of lanes.flatMap((lane) => lane.steps)) {
          const published = body.publish && needsZone(step) ? await publishStep(step, asked) : undefined;
          steps.push({
            action: step.action,
            selector: step.key?.dkimSelector ?? null,
            until: step.until?.toISOString() ?? null,
            reason: step.reason,
            published:
              published === undefined ? null : { status: published.status, detail: detailOf(published) },
          });
        }
        await keys.setPublishes(domain, body.publish);
        await startRotation(domain, parts);
        await asked.audit("key.rotate", domain, { begin: body.begin, publish: body.publish });
        return { steps };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/keys/:selector/bar",
      gate: "own.keys",
      summary: "A key never signs again: retired, or revoked where others may have it.",
      params: ofKey,
      body: z.strictObject({ how: z.enum(["retired", "revoked"]) }),
      answer: z.object({ key: keySchema }),
      act: async ({ params, body }, asked) => {
        const before = await oneKey(params.domain, params.selector);
        const after = barKey(before, body.how, now());
        if ((await keys.change([{ before, after }])) === "stale") throw stale();
        await asked.audit(`key.${body.how === "revoked" ? "revoke" : "retire"}`, keyOwner(before));
        return { key: keyJson(after) };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/keys/:selector/export",
      gate: "own.keys",
      summary:
        "A key as files of a signing program, with its private half; a session and its password alone.",
      params: ofKey,
      body: z.strictObject({
        format: z.enum(EXPORT_FORMATS),
        /** Where the files will lie. */
        folder: z.string().max(500).default("/etc/dkimkeys"),
        password: z.string().max(1024),
      }),
      answer: z.object({
        files: z.array(z.object({ path: z.string(), content: z.string(), isPrivate: z.boolean() })),
        notes: z.array(z.string()),
      }),
      act: async ({ params, body }, asked) => {
        const key = await oneKey(params.domain, params.selector);
        const remedy = "log in with a password, or use zonepost keys export on the server's machine";
        if (asked.session === undefined)
          throw new Refusal("not-allowed", "no token gets at a private key", remedy);
        if (asked.session.open.user.passwordHash === undefined)
          throw new Refusal("refused", "your account has no password that you could show again", remedy);
        await requirePassword(body.password, asked, parts);
        const opened = openSealedKey(key.sealed, key, master());
        if (opened.status !== "opened")
          throw new Refusal("refused", opened.problem, "look at the server's seal key and its backups");
        const made = exportKeys([{ key, privateKey: opened.privateKey }], body.format, body.folder);
        if (!made.ok)
          throw new Refusal("refused", made.problem, "name another folder", { where: "body.folder" });
        await asked.audit("key.export", keyOwner(key), { format: body.format });
        return {
          files: made.value.files.map((file) => ({ ...file })),
          notes: [...made.value.notes],
        };
      },
    }),
  ];

  async function publishStep(step: Step, asked: Asked): Promise<PublishedStep> {
    const { description } = await describeDomain(asked.domain, descriptions);
    const opened = await openZone(keyZone(asked.domain.domain, description), asked.actor, parts);
    return publishKeyStep(
      step,
      { description, zone: opened.zone },
      opened.applyTools(() => {}),
    );
  }
}

function seenJson({ key, look }: SeenKey, steps: readonly Step[]) {
  const next = steps.find((step) => step.key !== undefined && sameKeyName(step.key, key));
  const before = Math.max(look.negativeTtlSeconds ?? 0, key.sighting.otherTtlSeconds ?? 0);
  return {
    selector: key.dkimSelector,
    state: key.state,
    servers: look.perServer.map(({ server, sight, ttlSeconds }) => ({
      server,
      sight: sight.kind,
      shows: sightText(sight),
      ttlSeconds: ttlSeconds ?? null,
    })),
    cachesClearAt: key.sighting.cachesClearAt?.toISOString() ?? null,
    cachedSeconds: before > 0 ? before : null,
    next: next
      ? { action: next.action, until: next.until?.toISOString() ?? null, reason: next.reason }
      : null,
  };
}

function detailOf(published: PublishedStep): string {
  switch (published.status) {
    case "in-the-way":
      return `${published.owner} holds something else: take it away, or use another selector`;
    case "failed":
    case "stale":
      return published.detail;
    case "stopped":
      return published.failure.detail;
    case "busy":
      return "another apply to this zone is under way";
    case "blocked":
    case "done":
    case "nothing-to-do":
    case "not-needed":
      return "";
    default:
      return published satisfies never;
  }
}
