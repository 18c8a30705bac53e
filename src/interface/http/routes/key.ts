/** DKIM keys of a domain. No route shows a private half. */
import { z } from "zod";
import { RSA_BITS } from "../../../keys/generate.ts";
import { type DkimKey, newKey } from "../../../keys/key.ts";
import { keyOwner, keyRecordShapes } from "../../../keys/key-record-shapes.ts";
import { makeKey } from "../../../keys/make-key.ts";
import { readPrivateKey } from "../../../keys/private-text.ts";
import { barKey, type Step } from "../../../keys/rotation.ts";
import { sealKey } from "../../../keys/sealing.ts";
import { DATED_SELECTOR } from "../../../keys/selector.ts";
import { sightText } from "../../../keys/sighting.ts";
import { describeDkimKey, dkimFingerprint } from "../../../standards/dkim/public-key.ts";
import { parseDkimSelector } from "../../../standards/dkim/selector.ts";
import type { DomainName } from "../../../standards/dns/name.ts";
import { lookAtKeys } from "../../../watch/key-look.ts";
import { keyZone, needsZone, type PublishedStep, publishKeyStep } from "../../../watch/key-publish.ts";
import { lanesOf, turnKeys } from "../../../watch/key-turn.ts";
import { startRotation } from "../../../watch/rotation-driver.ts";
import { describeDomain } from "../described.ts";
import { ofDomain } from "../domain-schema.ts";
import type { ServerParts } from "../parts.ts";
import { notFound, Refusal, stale } from "../problem.ts";
import { type Asked, type Route, route } from "../route.ts";
import { openZone } from "../zone.ts";

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

/** Several looks and applies in one answer are bounded: a domain has a few keys. */
const MAX_KEYS = 40;

export function keyRoutes(parts: ServerParts): readonly Route[] {
  const { keys, descriptions, now, random, makeKeyPair, sealKey: master } = parts;
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
    await requireRoom(domain);
    const made = await makeKey(domain, wanted, { store: keys, sealKey: master, makeKeyPair, random, now });
    if (!made.ok) throw new Refusal("refused", made.problem, "choose another", { where: "body" });
    await asked.audit("key.create", keyOwner(made.value.key));
    await startRotation(domain, false, parts);
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
        await requireRoom(domain);
        const pair = readPrivateKey(body.privateKey);
        if (!pair.ok)
          throw new Refusal("refused", pair.problem, "send it in PEM", { where: "body.privateKey" });
        const name = { signingDomain: domain, dkimSelector: body.selector };
        const key = newKey(
          name,
          pair.value.publicKey,
          sealKey(pair.value.privateKey, name, master(), random),
          now(),
        );
        if ((await keys.put(key)) === "taken")
          throw new Refusal("taken", `there is a key ${keyOwner(key)} already`, "choose another selector");
        await asked.audit("key.import", keyOwner(key));
        await startRotation(domain, false, parts);
        return { key: keyJson(key) };
      },
    }),
    route({
      method: "GET",
      path: "/api/domains/:domain/keys/:selector",
      gate: "own.read",
      summary: "A key, and its record in every shape that forms and files want.",
      params: ofKey,
      answer: z.object({ key: keySchema, shapes: z.array(z.object({ name: z.string(), text: z.string() })) }),
      act: async ({ params }) => {
        const key = await oneKey(params.domain, params.selector);
        return { key: keyJson(key), shapes: keyRecordShapes(key).map(({ name, text }) => ({ name, text })) };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/keys/verify",
      gate: "own.check",
      summary: "What every name server shows of the keys, now.",
      params: ofDomain,
      answer: z.object({
        keys: z.array(
          z.object({
            selector: z.string(),
            servers: z.array(z.object({ server: z.string(), sight: z.string(), shows: z.string() })),
          }),
        ),
      }),
      act: async (_, { domain }) => {
        const kept = (await keys.list(domain.domain)).filter(({ state }) => state !== "removed");
        const seen = await lookAtKeys(kept.slice(0, MAX_KEYS), parts.world().authoritative);
        return {
          keys: seen.map(({ key, look }) => ({
            selector: key.dkimSelector,
            servers: look.perServer.map(({ server, sight }) => ({
              server,
              sight: sight.kind,
              shows: sightText(sight),
            })),
          })),
        };
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
          for (const [algorithm, lane] of lanesOf(await keys.list(domain))) {
            const waiting = lane.find(({ state }) => ["prepared", "published", "proven"].includes(state));
            if (waiting !== undefined)
              throw new Refusal(
                "refused",
                `${keyOwner(waiting)} is on its way already`,
                "go on without begin",
              );
            await generate(asked, { selector: DATED_SELECTOR, algorithm });
          }
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
        await startRotation(domain, body.publish, parts);
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
