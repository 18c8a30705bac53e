/** A hundred thousand domains with what is known of them, as rows: as the stores write them, in few transactions. */
import type { Kysely } from "kysely";
import { SEVERITIES } from "../src/check/severity.ts";
import { domainName } from "../src/standards/dns/name.ts";
import type { Tables } from "../src/store/tables.ts";

export const WORST = ["ok", "ok", "ok", "notice", "warning", "error", "unknown"] as const;
export const OWNERS = 500;
export const AT = Date.UTC(2026, 10, 21);
const AT_ONCE = 500;

export const nameOf = (index: number) =>
  domainName(`${(Math.imul(index, 2654435761) >>> 0).toString(36)}.customer${index}.example`);

/** A hundred thousand commits measure the disk. `firstDueAt`: when the first of them is to be checked. */
export async function fillDomains(query: Kysely<Tables>, count: number, firstDueAt: number): Promise<void> {
  await query.transaction().execute(async (tx) => {
    for (let from = 0; from < count; from += AT_ONCE) {
      const indices = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => from + index);
      const rows = indices.map((index) => ({
        index,
        domain: nameOf(index),
        owner_id: `owner-${index % OWNERS}`,
        worst: WORST[index % WORST.length]!,
      }));
      await tx
        .insertInto("described_domain")
        .values(
          rows.map(({ domain, owner_id }) => {
            const content = JSON.stringify({ domain, dmarc: { policy: "reject" } });
            return { domain, owner_id, content, revision: 1, changed_at: AT };
          }),
        )
        .execute();
      await tx
        .insertInto("domain_state")
        .values(
          rows.map(({ index, domain, owner_id, worst }) => {
            const due = firstDueAt + index * 100;
            const checked = { checked_at: AT, next_check_at: due, due_at: due };
            const rank = SEVERITIES.indexOf(worst);
            return { domain, owner_id, ...checked, worst: rank, counts: `{"${worst}":3}`, revision: 1 };
          }),
        )
        .execute();
      await tx
        .insertInto("domain_findings")
        .values(rows.map(({ domain }) => ({ domain, findings: JSON.stringify(findingsOf(domain)) })))
        .execute();
      await tx
        .insertInto("finding_event")
        .values(
          rows.map(({ index, domain, owner_id, worst }) => {
            const event = { kind: "appeared", code: "spf-missing", owner: domain, severity: worst };
            return { domain, owner_id, at: AT + index, ...event, observed: "none" };
          }),
        )
        .execute();
    }
  });
}

const findingsOf = (domain: string) =>
  ["spf-missing", "dmarc-missing", "mx-missing"].map((code) => ({
    key: `${code} ${domain}`,
    finding: {
      code,
      severity: "warning",
      owner: domain,
      expected: "one record",
      observed: "none",
      why: "a reason as long as most of them are, which is a sentence or two",
      reference: "RFC 7208 §4.5",
      fix: null,
      verify: `dig +short TXT ${domain}`,
    },
    since: AT,
    confirmed: true,
  }));
