/** Records and addresses looked into: nothing of anybody's is read or kept. */
import { z } from "zod";
import { Context } from "../../../check/context.ts";
import { propose } from "../../../check/propose.ts";
import { findRoute, parseMailAddress } from "../../../check/route.ts";
import { explainRecord } from "../../../records/explain.ts";
import type { DomainName } from "../../../standards/dns/name.ts";
import type { Tasks } from "../../../watch/task.ts";
import { requirePieces } from "../described.ts";
import { domainName } from "../domain-schema.ts";
import type { ServerParts } from "../parts.ts";
import { Refusal } from "../problem.ts";
import { type Route, route } from "../route.ts";
import { jobOf, jobRef } from "./job.ts";

const MAX_RECORD = 65_536;

export function textRoutes(parts: ServerParts, tasks: Tasks): readonly Route[] {
  const findWay = tasks.define<{ readonly address: string }>("route", async ({ address: text }) => {
    const address = parseMailAddress(text);
    if (!address.ok) throw new Refusal("refused", address.problem, "write it as bob@example.org");
    const context = new Context(address.value.domain, parts.world(), parts.checkOptions);
    return findRoute(address.value, context);
  });
  const readWhatIs = tasks.define<{ readonly domain: DomainName }>("propose", async ({ domain }) => {
    const { content } = await parts.descriptions.common();
    const hosts = requirePieces(content, []).servers.map(({ host }) => host);
    return propose(new Context(domain, parts.world(), parts.checkOptions), hosts);
  });
  return [
    route({
      method: "POST",
      path: "/api/explain",
      gate: "own.read",
      summary: "A record in words.",
      body: z.strictObject({ text: z.string().min(1).max(MAX_RECORD) }),
      answer: z.object({
        title: z.string(),
        terms: z.array(z.object({ text: z.string(), meaning: z.string() })),
        remarks: z.array(z.looseObject({ severity: z.string(), message: z.string() })),
      }),
      act: async ({ body }) => {
        const explained = explainRecord(body.text.trimEnd());
        if (explained === undefined)
          throw new Refusal(
            "refused",
            "this is none of the records known here",
            "send SPF, DKIM, DMARC, MTA-STS, TLS-RPT, BIMI, TLSA, CAA or SRV",
            {
              where: "body.text",
            },
          );
        const { title, terms, remarks } = explained;
        return {
          title,
          terms: terms.map(({ text, meaning }) => ({ text, meaning })),
          remarks: remarks.map((remark) => ({ ...remark })),
        };
      },
    }),
    route({
      method: "POST",
      path: "/api/propose",
      gate: "domains.create",
      summary:
        "Reads what a domain has in DNS, and puts it in the words of a description, as a job. Nothing is kept.",
      body: z.strictObject({ domain: domainName }),
      status: 202,
      answer: jobRef,
      act: async ({ body: { domain } }, { actor }) => {
        const about = { domain: undefined, ownerId: actor.user.id };
        return jobOf(await readWhatIs(about, { domain }));
      },
    }),
    route({
      method: "POST",
      path: "/api/route",
      gate: "own.check",
      summary: "The way of a mail to an address, as a job. Servers are not asked about the recipient.",
      body: z.strictObject({ address: z.string().min(3).max(400) }),
      status: 202,
      answer: jobRef,
      act: async ({ body }, { actor }) => {
        const address = parseMailAddress(body.address);
        if (!address.ok)
          throw new Refusal("refused", address.problem, "write it as bob@example.org", {
            where: "body.address",
          });
        const about = { domain: undefined, ownerId: actor.user.id };
        return jobOf(await findWay(about, { address: body.address }));
      },
    }),
  ];
}
