/** Domains: listed, described, changed by revision, and the records that follow. */

import { parse } from "yaml";
import { z } from "zod";
import { ownerFilter } from "../../../access/permission.ts";
import { derivedFor, zoneOf } from "../../../records/derive.ts";
import { readMailDomain } from "../../../records/description.ts";
import { cannotStore, dnsHostById, formFor } from "../../../records/dns-host.ts";
import { DNS_HOSTS } from "../../../records/dns-hosts.ts";
import { recordJson } from "../../../records/format.ts";
import type { DomainName } from "../../../standards/dns/name.ts";
import { describeDomain, MACHINE_PARTS, readPieces, requirePieces } from "../described.ts";
import {
  domainName,
  formSchema,
  hostFields,
  ofDomain,
  severity,
  stateJson,
  stateSchema,
} from "../domain-schema.ts";
import type { ServerParts } from "../parts.ts";
import { byFile, Refusal, stale } from "../problem.ts";
import { limit, type Route, route } from "../route.ts";

const content = z.record(z.string().max(100), z.unknown());
const domainSchema = z.object({
  domain: z.string(),
  ownerId: z.string().nullable(),
  content,
  revision: z.int(),
  changedAt: z.string(),
});
const search = z.string().max(255).optional();

/** Where a list goes on: nobody has to understand it. */
const cursor = z
  .string()
  .max(1000)
  .transform((text, context): { domain: DomainName; worst: z.output<typeof severity> | undefined } => {
    const [name = "", worst] = Buffer.from(text, "base64url").toString().split(" ");
    const domain = readMailDomain(name);
    const level = severity.optional().safeParse(worst);
    if (domain.ok && level.success) return { domain: domain.value, worst: level.data };
    context.issues.push({ code: "custom", message: "this is no place to go on from", input: text });
    return z.NEVER;
  });

const MAX_IMPORT_OCTETS = 8 * 1024 * 1024;
const MAX_PROPOSED = 1000;

export function domainRoutes({
  descriptions,
  watch,
  access,
  now,
  descriptionFile,
}: ServerParts): readonly Route[] {
  const requireWritable = () => {
    if (descriptionFile !== undefined) throw byFile(descriptionFile);
  };
  /** The content with its own name in it, whatever was sent: nobody describes one domain under another's name. */
  const contentOf = (domain: DomainName, given: Readonly<Record<string, unknown>>) => {
    if (given["domain"] !== undefined) {
      const named = typeof given["domain"] === "string" ? readMailDomain(given["domain"]) : undefined;
      if (named?.ok !== true || named.value !== domain)
        throw new Refusal(
          "refused",
          "the content names another domain",
          `leave "domain" out, or say ${domain}`,
          {
            where: "body.content.domain",
          },
        );
    }
    return { ...given, domain };
  };
  const requireOwner = async (ownerId: string | undefined) => {
    if (ownerId !== undefined && (await access.user({ id: ownerId })) === undefined)
      throw new Refusal("refused", "there is no such user", "take an id from /api/users", {
        where: "body.ownerId",
      });
  };
  return [
    route({
      method: "GET",
      path: "/api/domains",
      gate: "own.read",
      summary: "The domains and their states, the worst first.",
      query: z.object({ search, worst: severity.optional(), after: cursor.optional(), limit }),
      answer: z.object({ domains: z.array(stateSchema), next: z.string().nullable() }),
      act: async ({ query }, { actor }) => {
        const states = await watch.states(
          {
            ...ownerFilter(actor),
            ...(query.search && { search: query.search }),
            ...(query.worst && { worst: query.worst }),
          },
          { limit: query.limit, ...(query.after && { after: query.after }) },
        );
        const last = states.at(-1);
        const next =
          last === undefined || states.length < query.limit
            ? null
            : Buffer.from([last.domain, ...(last.worst ? [last.worst] : [])].join(" ")).toString("base64url");
        return { domains: states.map(stateJson), next };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains",
      gate: "domains.create",
      summary: "Takes a domain in.",
      body: z.strictObject({
        domain: domainName,
        content: content.default({}),
        ownerId: z.string().max(100).optional(),
      }),
      status: 201,
      answer: z.object({ domain: z.string(), revision: z.int() }),
      act: async ({ body: { domain, content: given, ownerId } }, asked) => {
        requireWritable();
        await requireOwner(ownerId);
        const whole = contentOf(domain, given);
        requirePieces((await descriptions.common()).content, [whole]);
        const put = await descriptions.putDomain({ domain, content: whole, ownerId }, 0, now());
        if (put === "stale")
          throw new Refusal("taken", `${domain} is described already`, "change it where it is", {
            where: "body.domain",
          });
        await watch.schedule(domain, ownerId, now());
        await asked.audit("domain.create", domain, { ownerId: ownerId ?? null });
        // One that was removed before goes on counting.
        return { domain, revision: (await descriptions.domain(domain))?.revision ?? 1 };
      },
    }),
    route({
      method: "GET",
      path: "/api/domains/:domain",
      gate: "own.read",
      summary: "A domain as it is described.",
      params: ofDomain,
      answer: domainSchema.extend({ state: stateSchema.nullable() }),
      act: async (_, { domain }) => {
        const state = await watch.state(domain.domain);
        return {
          ...domain,
          content: { ...domain.content },
          ownerId: domain.ownerId ?? null,
          changedAt: domain.changedAt.toISOString(),
          state: state === undefined ? null : stateJson(state),
        };
      },
    }),
    route({
      method: "PUT",
      path: "/api/domains/:domain",
      gate: "own.edit",
      summary: "Describes a domain anew, on the revision that was read.",
      params: ofDomain,
      body: z.strictObject({ content, revision: z.int().min(1) }),
      answer: z.object({ revision: z.int() }),
      act: async ({ body }, asked) => {
        requireWritable();
        const { domain, ownerId } = asked.domain;
        const whole = contentOf(domain, body.content);
        requirePieces((await descriptions.common()).content, [whole]);
        const put = await descriptions.putDomain({ domain, content: whole, ownerId }, body.revision, now());
        if (put === "stale") throw stale();
        await watch.schedule(domain, ownerId, now());
        await asked.audit("domain.change", domain, { revision: body.revision + 1 });
        return { revision: body.revision + 1 };
      },
    }),
    route({
      method: "PUT",
      path: "/api/domains/:domain/owner",
      gate: "domains.create",
      summary: "Gives a domain to another owner, or to administrators alone.",
      params: ofDomain,
      body: z.strictObject({ ownerId: z.string().max(100).nullable(), revision: z.int().min(1) }),
      answer: z.object({ revision: z.int() }),
      act: async ({ body }, asked) => {
        const ownerId = body.ownerId ?? undefined;
        await requireOwner(ownerId);
        const { domain, content: kept } = asked.domain;
        const put = await descriptions.putDomain({ domain, content: kept, ownerId }, body.revision, now());
        if (put === "stale") throw stale();
        // What is known of it was the former owner's to see: it is looked at anew.
        await watch.forget(domain);
        await watch.schedule(domain, ownerId, now());
        await asked.audit("domain.owner", domain, { ownerId: ownerId ?? null });
        return { revision: body.revision + 1 };
      },
    }),
    route({
      method: "DELETE",
      path: "/api/domains/:domain",
      gate: "domains.create",
      summary: "Forgets a domain. What is published stays as it is.",
      params: ofDomain,
      query: z.object({ revision: z.coerce.number().int().min(1) }),
      act: async ({ query }, asked) => {
        requireWritable();
        const { domain } = asked.domain;
        if ((await descriptions.removeDomain(domain, query.revision)) === "stale") throw stale();
        await watch.forget(domain);
        await asked.audit("domain.remove", domain);
      },
    }),
    route({
      method: "POST",
      path: "/api/import",
      gate: "domains.create",
      summary: "Reads a description as text, and says what taking it in would change. Nothing is changed.",
      body: z.strictObject({ text: z.string().max(MAX_IMPORT_OCTETS) }),
      maxBodyOctets: MAX_IMPORT_OCTETS + 1024,
      answer: z.object({
        common: content,
        ignored: z.array(z.string()),
        domains: z.array(
          z.object({
            domain: z.string(),
            state: z.enum(["new", "changed", "same"]),
            revision: z.int(),
            content,
          }),
        ),
        left: z.int(),
      }),
      act: async ({ body }) => {
        const whole = readYaml(body.text);
        const { domains: listed = [], ...common } = whole;
        for (const part of MACHINE_PARTS) delete common[part];
        const pieces = content.array().safeParse(listed);
        if (!pieces.success)
          throw new Refusal("refused", "domains is no list of domains", "write it as in the reference", {
            where: "domains",
          });
        const read = readPieces(common, pieces.data);
        if (!read.ok)
          throw new Refusal(
            "refused",
            "this is no usable description",
            "mend what is named, and send it again",
            {
              parts: read.problems.map(({ path, problem }) => ({ where: path, what: problem })),
            },
          );
        const domains = [];
        for (const [at, { domain }] of read.description.domains.slice(0, MAX_PROPOSED).entries()) {
          const own = { ...pieces.data[at]!, domain };
          const kept = await descriptions.domain(domain);
          const isSame = kept !== undefined && JSON.stringify(kept.content) === JSON.stringify(own);
          domains.push({
            domain,
            state: kept === undefined ? ("new" as const) : isSame ? ("same" as const) : ("changed" as const),
            revision: kept?.revision ?? 0,
            content: own,
          });
        }
        const ignored = MACHINE_PARTS.filter((part) => part in whole);
        return { common, ignored, domains, left: Math.max(0, pieces.data.length - MAX_PROPOSED) };
      },
    }),
    route({
      method: "GET",
      path: "/api/domains/:domain/records",
      gate: "own.read",
      summary: "The records that should exist, each with its reason and as the fields of a form.",
      params: ofDomain,
      query: z.object({ host: z.string().max(100).optional() }),
      answer: z.object({
        records: z.array(
          z.object({
            zone: z.string().nullable(),
            owner: z.string(),
            type: z.string(),
            ttlSeconds: z.int(),
            value: z.string(),
            zoneText: z.string(),
            form: formSchema,
            host: hostFields.nullable(),
            cannotStore: z.string().nullable(),
            purpose: z.string(),
            importance: z.enum(["required", "strongly-recommended", "optional"]),
            creator: z.enum(["you", "address-owner", "zone-owner"]),
            reason: z.string(),
            reference: z.string(),
            caution: z.string().nullable(),
            see: z.object({ dig: z.string(), nslookup: z.string(), host: z.string() }),
            request: z.string().optional(),
          }),
        ),
        files: z.array(z.object({ url: z.string(), mediaType: z.string(), content: z.string() })),
        notes: z.array(z.object({ about: z.string(), text: z.string() })),
        hosts: z.array(z.object({ id: z.string(), name: z.string() })),
      }),
      act: async ({ query }, { domain: stored }) => {
        const { domain } = stored;
        const host = query.host === undefined ? undefined : dnsHostById(query.host);
        const { description, derived } = await describeDomain(stored, descriptions);
        const { records, files, notes } = derivedFor(domain, derived, description);
        return {
          records: records.map((each) => {
            const zone = each.domain === undefined ? undefined : zoneOf(domain, description);
            const atHost = zone === undefined ? undefined : host;
            return {
              ...(recordJson(each, zone) as object),
              host: atHost === undefined ? null : [...formFor(each.record, zone, atHost)],
              cannotStore: atHost === undefined ? null : (cannotStore(each.record, atHost) ?? null),
            } as never;
          }),
          files: files.map((file) => ({ ...file })),
          notes: notes.map((note) => ({ ...note })),
          hosts: DNS_HOSTS.map(({ id, name }) => ({ id, name })),
        };
      },
    }),
  ];
}

function readYaml(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new Refusal(
      "refused",
      `not usable YAML: ${(error as Error).message.slice(0, 300)}`,
      "mend the text",
      {
        where: "body.text",
      },
    );
  }
  const read = content.safeParse(value);
  if (read.success) return { ...read.data };
  throw new Refusal("refused", "this is no description", "send the text of a zonepost.yaml", {
    where: "body.text",
  });
}
