/** DMARC: the record, where the policy comes from, who may take the reports, and what older receivers see. */

import { lookupReportAuthorization } from "../standards/dmarc/external-reports.ts";
import {
  type DmarcRecord,
  formatDmarcRecord,
  isDmarcRecord,
  parseDmarcRecord,
  reportDomain,
} from "../standards/dmarc/record.ts";
import { looksLikeDmarc, remarksOnDmarcText } from "../standards/dmarc/remarks.ts";
import {
  type DmarcDiscovery,
  discoverDmarc,
  discoverDmarcByPublicSuffix,
  organizationalDomainOf,
  walkTree,
} from "../standards/dmarc/tree-walk.ts";
import { type DomainName, prepend } from "../standards/dns/name.ts";
import { toCharacterStrings, txtText } from "../standards/dns/record.ts";
import { isSpfRecord } from "../standards/spf/record.ts";
import { type Context, type TxtRecord, texts } from "./context.ts";
import { type Finding, type Fix, proposed } from "./finding.ts";
import { hostAddresses } from "./host-addresses.ts";

export async function checkDmarc(context: Context): Promise<Finding[]> {
  const { domain } = context;
  const owner = prepend("_dmarc", domain);
  const [answer, alias, discovery] = await Promise.all([
    context.everywhere(owner, "TXT"),
    context.lookup(owner, "CNAME"),
    discoverDmarc(domain, context),
  ]);
  if (answer.status === "unknown") return [context.unknown(owner, "TXT", answer)];
  const published = texts(answer);
  const records = published.filter(({ text }) => isDmarcRecord(text));
  const findings = context.untold(owner, ["CNAME", alias]);
  if (alias.status === "found" && answer.status === "found" && answer.aliases.length === 0) {
    findings.push(
      context.finding("dmarc-cname-and-txt", {
        owner,
        observed: `CNAME ${alias.records[0]!.data.target} beside ${published.length} TXT`,
        verify: "CNAME",
        fix: await context.fix("Keep one of the two.", { remove: alias.records }),
      }),
    );
  }
  findings.push(...(await strayFindings(published, records.length, context)));
  if (records.length > 1) {
    findings.push(
      context.finding("dmarc-several-records", {
        owner,
        observed: records.map(({ text }) => text).join("\n"),
        verify: "TXT",
        fix: await keepOne(records, context),
      }),
    );
    return findings;
  }
  const [own] = records;
  if (own === undefined) {
    // A damaged or misplaced record is what is wrong then, and mending it is the fix.
    const misplaced = await misplacedFindings(context);
    const mended = [...findings, ...misplaced].some(({ severity }) => severity === "error");
    const rest = await withoutOwnRecord(discovery, owner, context);
    return [...findings, ...misplaced, ...rest.filter(({ code }) => !(mended && code === "dmarc-missing"))];
  }
  findings.push(...(await ownRecordFindings(own.text, own.record, context)));
  if (discovery.status === "found") {
    findings.push(...(await reportFindings(discovery, context)));
    findings.push(...(await publicSuffixFindings(discovery, context)));
    findings.push(...(await authenticationFindings(discovery.record, context)));
  }
  if (findings.every(({ severity }) => severity === "notice")) {
    findings.push(context.finding("dmarc-ok", { owner, observed: own.text, verify: "TXT" }));
  }
  return findings;
}

/** TXT records at `_dmarc` that are no DMARC records: damaged ones, and those that a wildcard or a slip put there. */
async function strayFindings(
  published: readonly { readonly text: string; readonly record: TxtRecord }[],
  sound: number,
  context: Context,
): Promise<Finding[]> {
  const owner = prepend("_dmarc", context.domain);
  const stray = published.filter(({ text }) => !isDmarcRecord(text));
  const found = await Promise.all(
    stray.map(async ({ text, record }) => {
      if (!looksLikeDmarc(text)) {
        return [
          context.finding("dmarc-unrelated-txt", { owner, observed: text.slice(0, 200), verify: "TXT" }),
        ];
      }
      const fix =
        sound > 0
          ? await context.fix("Remove the damaged copy.", { remove: [record] })
          : await replaceDmarc(context, [record], "Write it so that receivers read it.");
      return remarksOnDmarcText(text).map((remark) =>
        context.remark(sound > 0 ? { ...remark, severity: "warning" } : remark, { owner, text, fix }),
      );
    }),
  );
  return found.flat();
}

async function replaceDmarc(context: Context, old: readonly TxtRecord[], summary: string): Promise<Fix> {
  const owner = prepend("_dmarc", context.domain);
  const [wanted] = context.wanted(owner, "dmarc");
  const meant = old.map(({ data }) => asMeant(txtText(data))).find((text) => text !== undefined);
  const text = meant ?? `v=DMARC1; p=none; rua=mailto:dmarc@${context.domain}`;
  const create = wanted?.record ?? proposed(owner, { type: "TXT", strings: toCharacterStrings(text) });
  return context.fix(summary, { remove: old, create: [create] });
}

/** A record whose beginning alone is damaged, put right; undefined where no policy comes out of that. */
function asMeant(text: string): string | undefined {
  const bare = text.replace(/["\\]/g, "").trim();
  const parsed = parseDmarcRecord(
    withMailto(bare.replace(/^(?:v\s*[=:]?\s*)?DMARC\s*1?\s*[;,:]?\s*/i, "v=DMARC1; ")),
  );
  return parsed.ok && parsed.value.policy !== undefined ? formatDmarcRecord(parsed.value) : undefined;
}

/** What the description asks for; else one of those that are there, rather one that asks for reports. */
async function keepOne(
  records: readonly { readonly text: string; readonly record: TxtRecord }[],
  context: Context,
): Promise<Fix> {
  const summary = "Keep one record; receivers discard them all while there are several.";
  const [wanted] = context.wanted(prepend("_dmarc", context.domain), "dmarc");
  const texts = records.map(({ text }) => text);
  const wantedText = wanted?.record.data.type === "TXT" ? txtText(wanted.record.data) : undefined;
  const kept = wantedText ?? texts.find((text) => /;\s*rua\s*=/i.test(text)) ?? texts[0];
  const others = records.filter(({ text }) => text !== kept).map(({ record }) => record);
  const create = wanted !== undefined && others.length === records.length ? [wanted.record] : [];
  return context.fix(summary, { remove: others, create });
}

/** R45's sibling: a DMARC record at the apex does nothing. */
async function misplacedFindings(context: Context): Promise<Finding[]> {
  const owner = prepend("_dmarc", context.domain);
  const misplaced = texts(await context.everywhere(context.domain, "TXT")).filter(({ text }) =>
    looksLikeDmarc(text),
  );
  return Promise.all(
    misplaced.map(async ({ text, record }) =>
      context.finding("dmarc-wrong-owner", {
        owner: context.domain,
        expected: `this record at ${owner}`,
        observed: text,
        verify: "TXT",
        fix: await context.fix(`Move it to ${owner}.`, {
          remove: [record],
          create: [context.wanted(owner, "dmarc")[0]?.record ?? { ...record, name: owner }],
        }),
      }),
    ),
  );
}

async function withoutOwnRecord(
  discovery: DmarcDiscovery,
  owner: DomainName,
  context: Context,
): Promise<Finding[]> {
  switch (discovery.status) {
    case "temperror":
      return [
        context.finding("dns-no-answer", {
          owner,
          expected: "a DMARC policy, or none",
          observed: discovery.problem,
          verify: "TXT",
        }),
      ];
    case "none": {
      const spf = texts(await context.everywhere(context.domain, "TXT")).some(({ text }) =>
        isSpfRecord(text),
      );
      return [
        context.finding("dmarc-missing", {
          owner,
          observed: discovery.reason,
          verify: "TXT",
          fix: await replaceDmarc(context, [], "Start with a policy of none, and read the reports."),
          ...(spf && {
            why: "SPF only checks the envelope sender; without DMARC the From line that people see can still be forged (RFC 9989 §1).",
          }),
        }),
      ];
    }
    case "found":
      return [
        context.finding("dmarc-inherited", {
          owner,
          observed: `${discovery.policyTag}=${discovery.policy} of ${discovery.foundAt} applies: ${discovery.text}`,
          verify: { command: context.command(prepend("_dmarc", discovery.foundAt), "TXT") },
        }),
        ...(await publicSuffixFindings(discovery, context)),
      ];
    default:
      return discovery satisfies never;
  }
}

async function ownRecordFindings(text: string, record: TxtRecord, context: Context): Promise<Finding[]> {
  const owner = prepend("_dmarc", context.domain);
  const parsed = parseDmarcRecord(withMailto(text));
  const tidy = parsed.ok ? formatDmarcRecord(parsed.value) : undefined;
  const [wanted] = context.wanted(owner, "dmarc");
  const wantedText = wanted?.record.data.type === "TXT" ? txtText(wanted.record.data) : undefined;
  const wantedRecord = wantedText === undefined ? undefined : parseDmarcRecord(wantedText);
  const differs = wantedRecord?.ok === true && formatDmarcRecord(wantedRecord.value) !== tidy;
  const fixOf = async (code: string): Promise<Fix | null> => {
    if (differs) return replaceDmarc(context, [record], "Publish the record of the description.");
    if (tidy === undefined || tidy === text || ADVICE_ONLY.has(code)) return null;
    const create = { ...record, data: { type: "TXT" as const, strings: toCharacterStrings(tidy) } };
    return context.fix("The same record, tidied.", { remove: [record], create: [create] });
  };
  const findings = await Promise.all(
    remarksOnDmarcText(text).map(async (remark) => {
      // What the description asks for on purpose is not held against it.
      const asked = wantedText === text && ADVICE_ONLY.has(remark.code);
      const said = asked ? { ...remark, severity: "notice" as const } : remark;
      return context.remark(said, { owner, text, fix: await fixOf(remark.code) });
    }),
  );
  if (differs) {
    const fix = await fixOf("dmarc-differs");
    findings.push(
      context.finding("dmarc-differs", { owner, expected: wantedText!, observed: text, verify: "TXT", fix }),
    );
  }
  return findings;
}

/** `rua=dmarc@example.org` means `mailto:`, and should not get lost when the record is tidied. */
function withMailto(text: string): string {
  return text.replace(/\b(ru[af]\s*=)([^;]*)/gi, (_, tag: string, uris: string) => {
    return tag + uris.replace(/(^|,)(\s*)(?=[^\s:,@]{1,64}@[^\s:,@]{1,255}\s*(?:,|$))/g, "$1$2mailto:");
  });
}

/** Remarks about a choice, which tidying the text does not change. */
const ADVICE_ONLY = new Set([
  "dmarc-policy-none",
  "dmarc-rua-missing",
  "dmarc-weaker-subdomain-policy",
  "dmarc-strict-alignment",
  "dmarc-not-mailto",
  "dmarc-testing",
]);

/** R65, RFC 9990 §4: does the receiver of reports want them, and can it be written to? */
async function reportFindings(
  { record, walk }: Extract<DmarcDiscovery, { status: "found" }>,
  context: Context,
): Promise<Finding[]> {
  const { domain } = context;
  const owner = prepend("_dmarc", domain);
  const hosts = new Set(
    [...record.aggregateUris, ...record.failureUris].map(reportDomain).filter((host) => host !== undefined),
  );
  const ours = organizationalDomainOf(walk);
  const found = await Promise.all(
    [...hosts].slice(0, MAX_REPORT_HOSTS).map(async (host) => {
      const [theirs, mx] = await Promise.all([
        host === domain ? ours : walkTree(host, context).then(organizationalDomainOf),
        context.lookup(host, "MX"),
      ]);
      const findings = context.untold(host, ["MX", mx]);
      for (const each of host === domain ? [] : [ours, theirs]) {
        const failed = each.status === "unknown" ? each.query : undefined;
        if (failed?.result.status === "unknown")
          findings.push(context.unknown(prepend("_dmarc", failed.domain), "TXT", failed.result));
      }
      if (ours.status === "found" && theirs.status === "found" && ours.domain !== theirs.domain) {
        const authorization = await lookupReportAuthorization(domain, host, context);
        if (authorization.status === "unknown")
          findings.push(context.unknown(prepend(`${domain}._report._dmarc`, host), "TXT", authorization));
        if (authorization.status === "unauthorized") {
          findings.push(
            context.finding("dmarc-report-unauthorized", {
              owner: authorization.name,
              observed: authorization.found.length === 0 ? "no such record" : authorization.found.join("; "),
              expected: `TXT "v=DMARC1" at ${authorization.name}`,
              verify: "TXT",
              fix: await context.fix(
                `Ask whoever runs ${host} to create it, or let the reports go to a mailbox of your own.`,
                {
                  create: [proposed(authorization.name, { type: "TXT", strings: ["v=DMARC1"] })],
                },
              ),
            }),
          );
        }
      }
      const nullMx = mx.status === "found" && mx.records.every(({ data }) => data.exchange === ".");
      // RFC 5321 §5.1: without MX an address will do.
      const fallback = mx.status === "absent" ? await hostAddresses(host, context) : undefined;
      if (fallback?.addresses.length === 0) findings.push(...fallback.untold);
      if (nullMx || (fallback && fallback.addresses.length + fallback.untold.length === 0)) {
        findings.push(
          context.finding("dmarc-report-undeliverable", {
            owner,
            subject: host,
            observed: `reports go to ${host}, which ${nullMx ? "refuses all mail (null MX)" : "has neither MX nor address"}`,
            verify: { command: context.command(host, "MX") },
          }),
        );
      }
      return findings;
    }),
  );
  return found.flat();
}

const MAX_REPORT_HOSTS = 10;

/** Receivers that still go by the public suffix list (RFC 7489, historic) may find another policy. */
async function publicSuffixFindings(discovery: DmarcDiscovery, context: Context): Promise<Finding[]> {
  const organizational = context.world.organizationalDomain(context.domain);
  if (organizational === undefined || discovery.status !== "found") return [];
  const older = await discoverDmarcByPublicSuffix(context.domain, organizational, context);
  if (older.status === "temperror") return [];
  const same =
    older.status === "found" && older.foundAt === discovery.foundAt && older.policy === discovery.policy;
  if (same) return [];
  return [
    context.finding("dmarc-public-suffix-differs", {
      owner: prepend("_dmarc", context.domain),
      expected: `${discovery.policy} (from ${discovery.foundAt}) for every receiver`,
      observed:
        older.status === "found"
          ? `${older.policy} (from ${older.foundAt}) for receivers that use the public suffix list`
          : "no policy for receivers that use the public suffix list",
      verify: "TXT",
    }),
  ];
}

/** R74: DMARC passes only where SPF or DKIM passes. */
async function authenticationFindings(record: DmarcRecord, context: Context): Promise<Finding[]> {
  const apex = await context.everywhere(context.domain, "TXT");
  if (apex.status === "unknown") return [];
  const spf = texts(apex).some(({ text }) => isSpfRecord(text));
  const keys = await context.lookup(prepend("_domainkey", context.domain), "TXT");
  const noKeys = keys.status === "absent" && keys.kind === "nxdomain";
  const owner = prepend("_dmarc", context.domain);
  if (!spf && noKeys) {
    return [
      context.finding("dmarc-without-authentication", {
        owner,
        observed: "no SPF record, and nothing below _domainkey",
        verify: "TXT",
      }),
    ];
  }
  const nothingSent = texts(apex).some(({ text }) => /^v=spf1\s+-all\s*$/i.test(text));
  if (record.policy === "reject" && noKeys && !nothingSent) {
    return [
      context.finding("dmarc-reject-on-spf-alone", {
        owner,
        observed: "p=reject, SPF, and nothing below _domainkey",
        verify: "TXT",
      }),
    ];
  }
  return [];
}
