/** SPF: one record, its whole tree, and what it says of every address that mail leaves from. */
import { shellWord } from "../records/command.ts";
import { isWithin } from "../standards/dns/name.ts";
import { octetsToText, toCharacterStrings, txtText } from "../standards/dns/record.ts";
import type { Remark } from "../standards/dns/remark.ts";
import { evaluateSpf, type SpfOutcome } from "../standards/spf/evaluate.ts";
import { mergeSpf } from "../standards/spf/merge.ts";
import {
  formatSpfRecord,
  formatTerm,
  isSpfRecord,
  parseSpfRecord,
  type SpfRecord,
} from "../standards/spf/record.ts";
import {
  looksLikeSpf,
  redundantHosts,
  remarksOnSpfText,
  remarksOnSpfTree,
} from "../standards/spf/remarks.ts";
import { lookupSpfTree, lookupSpfTreeOf, type RecordNode, type SpfTree } from "../standards/spf/tree.ts";
import { type Context, type TxtRecord, texts } from "./context.ts";
import { type Finding, type Fix, proposed } from "./finding.ts";
import { isOwnHost, mailHosts } from "./mx.ts";
import { type Outbound, outbound } from "./reverse.ts";

/** Addresses to evaluate at most; each costs a walk through the tree, mostly from the cache. */
const MAX_EVALUATIONS = 16;

/** Of the domain as it is published. */
export const spfTree = (context: Context): Promise<SpfTree> =>
  context.shared("SPF tree", () => lookupSpfTree(context.domain, context));

export async function checkSpf(context: Context): Promise<Finding[]> {
  const { domain } = context;
  const [answer, tree, type99] = await Promise.all([
    context.everywhere(domain, "TXT"),
    spfTree(context),
    context.lookup(domain, "SPF"),
  ]);
  if (answer.status === "unknown") return [context.unknown(domain, "TXT", answer)];
  const published = texts(answer).filter(({ text }) => isSpfRecord(text));
  const damaged = texts(answer).filter(({ text }) => !isSpfRecord(text) && looksLikeSpf(text));
  const sends = context.described?.sends ?? true;
  const remarks = await remarkFindings(
    tree,
    published.map(({ record }) => record),
    context,
  );
  const findings = [
    ...(await damagedFindings(damaged, published.length > 0, context)),
    // A damaged record is what is wrong then, and mending it is the fix.
    ...remarks.filter(({ code }) => !(code === "spf-missing" && damaged.length > 0)),
    ...tree.unknowns.map(({ name, unknown }) => context.unknown(name, "TXT", unknown)),
    ...context.untold(domain, ["SPF", type99]),
  ];
  if (type99.status === "found") {
    findings.push(
      context.finding("spf-type-99", {
        owner: domain,
        severity: published.length === 0 ? "error" : "warning",
        observed: `a record of the dead type 99: ${type99.records.map(({ data }) => octetsToText(txtText(data))).join("; ")}`,
        verify: { command: `dig TYPE99 ${shellWord(domain)}` },
        fix: await context.fix("Remove it; the TXT record is the one that counts.", {
          remove: type99.records,
        }),
      }),
    );
  }
  if (sends && published.length === 1) {
    findings.push(
      ...(await evaluationFindings(
        findings.some(({ severity }) => severity === "error"),
        context,
      )),
    );
  }
  if (tree.root.state === "record") {
    findings.push(...(await mxOnlyFindings(tree.root, context)));
    const drift = await driftFinding(published[0]!.record, findings, context);
    if (drift) findings.push(drift);
    if (!findings.some(({ severity }) => severity === "error" || severity === "unknown")) {
      const count = tree.lookupTerms === 1 ? "1 lookup" : `${tree.lookupTerms} lookups`;
      findings.push(
        context.finding("spf-ok", {
          owner: domain,
          observed: `${tree.root.text} (${count} of 10)`,
          verify: "TXT",
        }),
      );
    }
  }
  return findings;
}

async function remarkFindings(
  tree: SpfTree,
  records: readonly TxtRecord[],
  context: Context,
): Promise<Finding[]> {
  const { domain } = context;
  const text = tree.root.state === "record" || tree.root.state === "broken" ? tree.root.text : "";
  // What the description asks for on purpose is not held against it.
  const [wanted] = context.wanted(domain, "spf");
  const asked = wanted?.record.data.type === "TXT" && txtText(wanted.record.data) === text;
  const remarks = remarksOnSpfTree(tree).filter(({ code }) => !(asked && code === "spf-redundant-term"));
  return Promise.all(
    remarks.map(async (remark) => {
      const fix = await remedy(remark, remarks, tree, records, context);
      if (remark.code === "spf-missing")
        return context.finding("spf-missing", {
          owner: domain,
          observed: missingText(tree),
          verify: "TXT",
          fix,
        });
      if (remark.code === "spf-several-records") {
        return context.finding("spf-several-records", {
          owner: domain,
          observed: records.map(({ data }) => octetsToText(txtText(data))).join("\n"),
          verify: "TXT",
          fix,
        });
      }
      return context.remark(remark, { owner: domain, text, fix });
    }),
  );
}

/** Texts that mean to be the SPF record, and that no receiver takes for one. */
async function damagedFindings(
  damaged: readonly { readonly text: string; readonly record: TxtRecord }[],
  isBesideSound: boolean,
  context: Context,
): Promise<Finding[]> {
  const owner = context.domain;
  const wanted = wantedSpf(context);
  const old = damaged.map(({ record }) => record);
  const fix = isBesideSound
    ? await context.fix("Remove the damaged copy.", { remove: old })
    : wanted !== undefined
      ? await replaceSpf(wanted, old, "Publish the record of the description.", context)
      : { summary: "Write it so that it begins with v=spf1 and a space.", changes: [] };
  return damaged.flatMap(({ text }) =>
    remarksOnSpfText(text).map((remark) =>
      context.remark(isBesideSound ? { ...remark, severity: "warning" } : remark, { owner, text, fix }),
    ),
  );
}

function missingText({ root }: SpfTree): string {
  if (root.state !== "absent") return "no SPF record";
  return root.kind === "no-record" ? "TXT records, but none that starts with v=spf1" : "no TXT record";
}

const WORDS: Readonly<Record<string, string>> = {
  "spf-too-many-lookups":
    "Take out what is not needed, name your own servers by ip4: and ip6: instead of a and mx, or send from a sub-domain with a record of its own.",
  "spf-void-lookup": "Take out the terms that find nothing.",
  "spf-void-lookups": "Take out the terms that find nothing.",
  "spf-include-without-record": "Take out the include, or ask its owner what to include today.",
  "spf-loop": "Take out the include that leads back.",
};

/** The record as it should be: what the description wants, merged with what is there, without what is idle. */
async function remedy(
  remark: Remark,
  all: readonly Remark[],
  tree: SpfTree,
  records: readonly TxtRecord[],
  context: Context,
): Promise<Fix | null> {
  const wanted = wantedSpf(context);
  const existing = records.flatMap(({ data }) => {
    const parsed = parseSpfRecord(octetsToText(txtText(data)));
    return parsed.ok ? [parsed.value] : [];
  });
  const summary = WORDS[remark.code] ?? SUMMARIES[remark.code];
  if (remark.code === "spf-missing") {
    return replaceSpf(wanted ?? parseKnown("v=spf1 mx ~all"), [], "Publish an SPF record.", context);
  }
  if (remark.code === "spf-several-records") {
    const merged = mergeSpf(existing, wanted?.terms ?? []);
    return replaceSpf(merged.record, records, "Keep one record with the terms of all.", context);
  }
  if (remark.code === "spf-redundant-term" && tree.root.state === "record") {
    return replaceSpf(
      withoutRedundant(tree.root),
      records,
      "The same record without what it can do without.",
      context,
    );
  }
  if (wanted !== undefined && remark.severity === "error") {
    const errors = all.filter(({ severity }) => severity === "error");
    const faulty = errors.map((error) => faultyTerm(error, tree));
    const sound = existing.map(({ terms }) => ({
      terms: terms.filter((term) => !faulty.includes(formatTerm(term))),
    }));
    for (const kept of [existing, sound, []]) {
      const { record } = mergeSpf(kept, wanted.terms);
      if (await isFreeOf(errors, record, context))
        return replaceSpf(record, records, summary ?? "Publish the record of the description.", context);
    }
  }
  return summary === undefined ? null : { summary, changes: [] };
}

/** The term of the published record that a remark points at. */
function faultyTerm({ offset }: Remark, { root }: SpfTree): string | undefined {
  const placed = root.state === "record" ? root.terms.find(({ term }) => term.offset === offset) : undefined;
  return placed && formatTerm(placed.term);
}

/** A record is proposed only where it would not have the same faults again: one record for all of them. */
async function isFreeOf(errors: readonly Remark[], record: SpfRecord, context: Context): Promise<boolean> {
  const tree = await lookupSpfTreeOf(formatSpfRecord(record), context.domain, context);
  const codes = new Set(remarksOnSpfTree(tree).map(({ code }) => code));
  return !errors.some(({ code }) => codes.has(code));
}

const SUMMARIES: Readonly<Record<string, string>> = {
  "spf-pass-all": "End the record with ~all or -all.",
  "spf-neutral-all": "End the record with ~all or -all.",
  "spf-no-all": "Add ~all at the end.",
  "spf-ptr": "Name the servers by ip4: and ip6:, and take ptr out.",
};

function wantedSpf(context: Context): SpfRecord | undefined {
  const [derived] = context.wanted(context.domain, "spf");
  if (derived?.record.data.type !== "TXT") return undefined;
  return parseKnown(txtText(derived.record.data));
}

function parseKnown(text: string): SpfRecord {
  const parsed = parseSpfRecord(text);
  if (!parsed.ok) throw new TypeError(`"${text}": ${parsed.problem}`);
  return parsed.value;
}

function withoutRedundant(node: RecordNode): SpfRecord {
  const idle = new Set(redundantHosts(node).map(({ term }) => term));
  return { terms: node.terms.map(({ term }) => term).filter((term) => !idle.has(term)) };
}

async function replaceSpf(
  record: SpfRecord,
  old: readonly TxtRecord[],
  summary: string,
  context: Context,
): Promise<Fix> {
  const text = formatSpfRecord(record);
  const create = {
    ...proposed(context.domain, { type: "TXT", strings: toCharacterStrings(text) }),
    ...(old[0] && { ttlSeconds: old[0].ttlSeconds }),
  };
  return context.fix(summary, { remove: old, create: [create] });
}

/**
 * R38, E12: each real source address, for both identities, instead of a comparison of texts. `isExplained`:
 * a fault of the record that makes it fail for everybody has been told already.
 */
async function evaluationFindings(isExplained: boolean, context: Context): Promise<Finding[]> {
  const sources = (await outbound(context)).slice(0, MAX_EVALUATIONS);
  const byHelo = new Map(sources.map((source) => [`${source.helo} ${source.address.text}`, source]));
  const found = await Promise.all([
    ...sources.map((source) => mailFromFinding(source, isExplained, context)),
    ...[...byHelo.values()].map((source) => heloFinding(source, context)),
  ]);
  return found.filter((finding) => finding !== undefined);
}

async function mailFromFinding(
  { address, helo }: Outbound,
  isExplained: boolean,
  context: Context,
): Promise<Finding | undefined> {
  const { domain } = context;
  const outcome = await evaluateSpf(
    { clientIp: address, mailFrom: `postmaster@${domain}`, helo, now: context.world.now },
    context,
  );
  if (outcome.result === "pass" || outcome.result === "none") return undefined;
  if (outcome.result === "permerror" && isExplained) return undefined;
  const verify = {
    command: `zonepost spf test ${shellWord(domain)} --ip ${address.text} --mail-from ${shellWord(`postmaster@${domain}`)} --helo ${shellWord(helo)}`,
  };
  if (outcome.result === "temperror") {
    return context.finding("dns-no-answer", {
      owner: domain,
      expected: `an SPF result for ${address.text}`,
      observed: outcome.problem ?? "temperror",
      verify,
    });
  }
  const described = context.options.description !== undefined;
  const record = await context.everywhere(domain, "TXT");
  const old = texts(record).filter(({ text }) => isSpfRecord(text));
  const parsed = parseSpfRecord(old[0]?.text ?? "");
  const term = parseKnown(`v=spf1 ip${address.family}:${address.text}`).terms;
  return context.finding("spf-address-not-covered", {
    owner: domain,
    subject: address.text,
    severity: described ? "error" : "notice",
    expected: `pass for mail from ${address.text}`,
    observed: `${outcome.result}${reasonOf(outcome)}`,
    verify,
    fix:
      parsed.ok && outcome.result !== "permerror"
        ? await replaceSpf(
            mergeSpf([parsed.value], wantedSpf(context)?.terms ?? term).record,
            old.map(({ record }) => record),
            `Let the record cover ${address.text}.`,
            context,
          )
        : null,
  });
}

function reasonOf({ trail, problem }: SpfOutcome): string {
  if (problem !== undefined) return `: ${problem}`;
  const last = trail.at(-1);
  return last === undefined ? " (no term matches)" : ` by ${formatTerm(last.term)} in ${last.domain}`;
}

/** RFC 7208 §2.3: the HELO identity; bounces have no other sender (§2.4). */
async function heloFinding({ address, helo }: Outbound, context: Context): Promise<Finding | undefined> {
  const described = context.options.description !== undefined;
  if (!described && !isWithin(helo, context.domain)) return undefined; // somebody else's server
  const outcome = await evaluateSpf(
    { clientIp: address, mailFrom: "", helo, now: context.world.now },
    context,
  );
  const verify = {
    command: `zonepost spf test ${shellWord(helo)} --ip ${address.text} --helo ${shellWord(helo)}`,
  };
  if (outcome.result === "pass") return undefined;
  if (outcome.result === "temperror") {
    return context.finding("dns-no-answer", {
      owner: helo,
      expected: `an SPF result for HELO ${helo}`,
      observed: outcome.problem ?? "temperror",
      verify,
    });
  }
  const [wanted] = context.wanted(helo, "helo-spf");
  const create = wanted?.record ?? proposed(helo, { type: "TXT", strings: ["v=spf1 a -all"] });
  if (outcome.result === "none") {
    return context.finding("spf-helo-missing", {
      owner: helo,
      severity: described ? "warning" : "notice",
      observed: `${helo} has no SPF record`,
      verify: "TXT",
      fix: await context.fix("Give the HELO name a record of its own.", { create: [create] }),
    });
  }
  return context.finding("spf-helo-not-covered", {
    owner: helo,
    subject: address.text,
    severity: described ? "error" : "warning",
    expected: `pass for HELO ${helo} from ${address.text}`,
    observed: `${outcome.result}${reasonOf(outcome)}`,
    verify,
    fix: {
      summary: `Let the SPF record of ${helo} cover ${address.text}: ${txtText(create.data as { type: "TXT"; strings: string[] })} does where its addresses are right.`,
      changes: [],
    },
  });
}

/** E19: "from all servers of the MX" is wrong where the MX is somebody else's filter. */
async function mxOnlyFindings(root: RecordNode, context: Context): Promise<Finding[]> {
  const mechanisms = root.terms.filter(
    ({ term, ignored }) => !ignored && term.kind !== "all" && term.kind !== "unknown" && term.kind !== "exp",
  );
  if (mechanisms.length !== 1 || mechanisms[0]!.term.kind !== "mx") return [];
  const hosts = await mailHosts(context);
  if (hosts.length === 0 || hosts.some((host) => isOwnHost(host, context))) return [];
  return [
    context.finding("spf-mx-not-ours", {
      owner: context.domain,
      observed: `${root.text}, and the MX is ${hosts.join(", ")}`,
      verify: "TXT",
      fix: {
        summary: "Name the servers that send, by ip4:, ip6: or the include of the service, instead of mx.",
        changes: [],
      },
    }),
  ];
}

/** The text differs from the derived one, though every address passes: worth a word, no more. */
async function driftFinding(
  record: TxtRecord,
  findings: readonly Finding[],
  context: Context,
): Promise<Finding | undefined> {
  const [derived] = context.wanted(context.domain, "spf");
  if (derived?.record.data.type !== "TXT") return undefined;
  const wanted = txtText(derived.record.data);
  const published = octetsToText(txtText(record.data));
  const parsed = parseSpfRecord(published);
  // A fault in the record itself has said what should be there.
  if (!parsed.ok || findings.some(({ severity, fix }) => severity === "error" && fix !== null))
    return undefined;
  const terms = parsed.value.terms.map(formatTerm);
  const { described } = context;
  const said = { owner: context.domain, expected: wanted, observed: published, verify: "TXT" } as const;
  if (described?.sends === false && terms.join(" ") !== "-all") {
    const summary = "Publish the record of a domain that sends nothing.";
    const fix = await replaceSpf(parseKnown(wanted), [record], summary, context);
    const why = "The domain sends no mail by its description, but the record lets somebody send in its name.";
    return context.finding("spf-differs", { ...said, severity: "warning", why, fix });
  }
  if (parseKnown(wanted).terms.every((term) => terms.includes(formatTerm(term)))) return undefined;
  const summary = "Add what the description names; what else is there stays.";
  const merged = mergeSpf([parsed.value], parseKnown(wanted).terms).record;
  return context.finding("spf-differs", {
    ...said,
    fix: await replaceSpf(merged, [record], summary, context),
  });
}
