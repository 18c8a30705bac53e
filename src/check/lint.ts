/**
 * Zone text checked before it is published: mistakes of writing, then every check that its records allow. What
 * lies outside of the text is left open, never called missing; a text without SOA is a piece of a zone, and
 * nothing that it lacks is missing.
 */
import { readCommand } from "../records/import/command-line.ts";
import { likelyZone } from "../records/import/likely-zone.ts";
import { readMistakenAddress } from "../records/import/tutorial-line.ts";
import { parseAddress, parseReverseName } from "../standards/dns/address.ts";
import {
  absolute,
  ancestors,
  type DomainName,
  domainName,
  isWithin,
  labelTexts,
  parentOf,
  ROOT,
  tryPrepend,
} from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import {
  octetsToText,
  type Rdata,
  type RecordType,
  type ResourceRecord,
  txtText,
  typeOf,
} from "../standards/dns/record.ts";
import type { Answer, Resolver } from "../standards/dns/resolver.ts";
import { createZoneResolver } from "../standards/dns/zone-resolver.ts";
import { parseZoneText } from "../standards/dns/zone-text.ts";
import { looksLikeSpf } from "../standards/spf/remarks.ts";
import { checkDomain } from "./check.ts";
import { type CheckOptions, Context, type World } from "./context.ts";
import { checkDkim } from "./dkim.ts";
import { type Finding, proposed } from "./finding.ts";
import { undoubled } from "./mx.ts";
import { checkSpf } from "./spf.ts";
import type { AuthoritativeView } from "./view.ts";

export interface LintedLine {
  readonly line: number;
  readonly problem: string;
}

export interface LintReport {
  readonly origin: DomainName | undefined;
  readonly records: readonly ResourceRecord[];
  /** Lines that are not zone text, with what they were probably meant to be. */
  readonly unreadable: readonly LintedLine[];
  readonly findings: readonly Finding[];
}

export interface LintSurroundings {
  readonly now: Date;
  readonly organizationalDomain: World["organizationalDomain"];
  readonly options: CheckOptions;
}

/** `origin` undefined: `$ORIGIN`, else the domain that the text seems to be about. */
export async function lintZoneText(
  text: string,
  origin: DomainName | undefined,
  surroundings: LintSurroundings,
): Promise<LintReport> {
  const assumed = origin ?? likelyZone(text, surroundings.organizationalDomain);
  const parsed = parseZoneText(text, { defaultTtlSeconds: 3600, ...(assumed && { origin: assumed }) });
  const lines = text.split("\n").map((line) => line.slice(0, MAX_LINE_CHARACTERS));
  const unreadable = parsed.problems.map(({ line, problem }) => ({
    line,
    problem: [problem, ...hintsFor(lines[line - 1] ?? "", assumed)].join("; "),
  }));
  if (assumed === undefined) return { origin: undefined, records: parsed.records, unreadable, findings: [] };
  const { records } = parsed;
  const context = new Context(assumed, zoneFileWorld(records, assumed, surroundings), surroundings.options);
  const findings = [
    ...(await lineFindings(lines, context)),
    ...(await lintRecords(records, assumed, surroundings)),
  ];
  return { origin: assumed, records, unreadable, findings: withoutRepeats(findings) };
}

/** Every finding that the records of one zone allow. */
export async function lintRecords(
  records: readonly ResourceRecord[],
  origin: DomainName,
  surroundings: LintSurroundings,
): Promise<readonly Finding[]> {
  const apexes = mailDomains(records, origin);
  const world = zoneFileWorld(records, origin, surroundings);
  const optionsFor = (domain: DomainName): CheckOptions => ({
    ...surroundings.options,
    dkimSelectors: [...surroundings.options.dkimSelectors, ...selectorsIn(records, domain)],
  });
  const reports = await Promise.all(apexes.map((apex) => checkDomain(apex, world, optionsFor(apex))));
  const others = otherSenders(records, origin).filter((name) => !apexes.includes(name));
  const ofOthers = await Promise.all(
    others.slice(0, MAX_DOMAINS).map(async (name) => {
      const options = optionsFor(name);
      const sender = new Context(name, world, options);
      const hasSpf = records.some((record) => record.name === name && isSpfText(record));
      return [
        ...(hasSpf ? await checkSpf(sender) : []),
        ...(options.dkimSelectors.length > 0 ? await checkDkim(sender) : []),
      ];
    }),
  );
  const context = new Context(origin, world, surroundings.options);
  return withoutRepeats([
    ...(await textFindings(records, origin, context)),
    ...[...reports.flatMap((report) => report.findings), ...ofOthers.flat()].filter(isAboutTheText),
  ]);
}

function withoutRepeats(findings: readonly Finding[]): Finding[] {
  const unique = new Map(
    findings.map((finding) => [`${finding.code} ${finding.owner} ${finding.observed}`, finding]),
  );
  return [...unique.values()];
}

/** What is looked at of each line for mistakes that no zone text is; no record of a tutorial is longer. */
const MAX_LINE_CHARACTERS = 1000;
/** Each is checked as a domain of its own. */
const MAX_DOMAINS = 50;
const MAX_SELECTORS = 50;

/** A text has no name servers, and knows nothing of what others hold. */
function isAboutTheText({ code, severity }: Finding): boolean {
  return (
    severity !== "unknown" &&
    !code.startsWith("zone-serial") &&
    !code.startsWith("dnssec-") &&
    code !== "zone-ok" &&
    code !== "zone-single-server"
  );
}

/** The names in the text that mail is addressed to or sent from, and the origin. */
function mailDomains(records: readonly ResourceRecord[], origin: DomainName): DomainName[] {
  const domains = new Set<DomainName>([origin]);
  for (const { name, data } of records) {
    if (undoubled(name, origin) !== undefined) continue;
    if (data.type === "MX" && isWithin(name, origin)) domains.add(name);
    const labels = labelTexts(name);
    if (labels[0] === "_dmarc" && labels.length > 2 && isWithin(name, origin)) domains.add(parentOf(name)!);
  }
  return [...domains].slice(0, MAX_DOMAINS);
}

/** Names that send, but are not written to: with an SPF record (HELO names), or with keys (sub-domains of services). */
function otherSenders(records: readonly ResourceRecord[], origin: DomainName): DomainName[] {
  const names = records.flatMap((record) => {
    const { name } = record;
    if (!isWithin(name, origin) || undoubled(name, origin) !== undefined) return [];
    const signer = signerOf(name);
    if (signer !== undefined) return [signer];
    return isSpfText(record) ? [name] : [];
  });
  return [...new Set(names)];
}

const isSpfText = ({ data }: ResourceRecord) =>
  data.type === "TXT" && looksLikeSpf(octetsToText(txtText(data)));

const KEY_LABEL = "._domainkey.";

/** Whose key an owner name is about. */
function signerOf(name: DomainName): DomainName | undefined {
  const at = name.indexOf(KEY_LABEL);
  return at < 0 ? undefined : domainName(name.slice(at + KEY_LABEL.length));
}

function selectorsIn(records: readonly ResourceRecord[], domain: DomainName): string[] {
  const own = records.filter(({ name }) => signerOf(name) === domain);
  return own.map(({ name }) => name.slice(0, name.indexOf(KEY_LABEL))).slice(0, MAX_SELECTORS);
}

function zoneFileWorld(
  records: readonly ResourceRecord[],
  origin: DomainName,
  surroundings: LintSurroundings,
): World {
  const zone = createZoneResolver(records, { apexes: [origin], elsewhere: "outside of the text" });
  const isWhole = records.some(({ name, data }) => name === origin && data.type === "SOA");
  const isOnTop = surroundings.organizationalDomain(origin) === origin;
  const resolver = !isWhole ? withoutAbsence(zone) : isOnTop ? withNothingAbove(origin, zone) : zone;
  const authoritative: AuthoritativeView = {
    lookup: resolver.lookup,
    findZone: async () => ({
      status: "found",
      zone: { apex: origin, delegatedTo: [], unresolvable: [], servers: [] },
    }),
    askEveryServer: async (name, type) => [
      { server: { name: origin, address: "the text", port: 0 }, answer: await resolver.lookup(name, type) },
    ],
    lookupSignatures: async () => ({
      status: "unknown",
      cause: "network",
      detail: "a text is signed when it is published",
    }),
  };
  return {
    authoritative,
    recursive: [],
    now: surroundings.now,
    organizationalDomain: surroundings.organizationalDomain,
    randomLabel: () => "zonepost-no-such-name",
  };
}

/** What a piece of a zone does not hold may well stand in the rest of it. */
function withoutAbsence(resolver: Resolver): Resolver {
  return {
    async lookup<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
      const answer = await resolver.lookup(name, type);
      if (answer.status !== "absent") return answer;
      return { status: "unknown", cause: "network", detail: `the text has no ${type} for ${absolute(name)}` };
    },
  };
}

/** Above a registrable domain stands nothing of its owner's: no CAA, and no policy but that of a registry. */
function withNothingAbove(origin: DomainName, resolver: Resolver): Resolver {
  const above = new Set(
    ancestors(parentOf(origin) ?? ROOT).flatMap((name) => [name, tryPrepend("_dmarc", name)]),
  );
  return {
    async lookup<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
      return above.has(name)
        ? { status: "absent", kind: "nodata", aliases: [] }
        : resolver.lookup(name, type);
    },
  };
}

/** What only the text shows: names that came out wrong, and records that cannot be together. */
async function textFindings(
  records: readonly ResourceRecord[],
  origin: DomainName,
  context: Context,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const byName = Map.groupBy(records, ({ name }) => name);
  for (const record of records) {
    const { name, data } = record;
    const once = undoubled(name, origin);
    const repaired = withoutDoubling(record, origin);
    const fix = async () =>
      context.fix("Write the final dot, or the name without the zone.", {
        remove: [record],
        create: [repaired],
      });
    if (once !== undefined) {
      findings.push(
        context.finding("zone-doubled-name", {
          owner: name,
          expected: absolute(once),
          observed: `${absolute(name)}: the name has no final dot, so the zone was added to it`,
          verify: typeOf(data),
          fix: await fix(),
        }),
      );
    } else if (!isWithin(name, origin) && !name.endsWith(".arpa")) {
      findings.push(
        context.finding("zone-foreign-owner", {
          owner: name,
          expected: `a name in ${origin}`,
          observed: absolute(name),
          verify: typeOf(data),
        }),
      );
    }
    // The check of a domain's MX says it for the domain.
    if (repaired.data !== data && (data.type !== "MX" || once !== undefined)) {
      findings.push(
        context.finding("zone-doubled-name", {
          owner: name,
          expected: `${typeOf(data)} ${formatRdata(repaired.data)}`,
          observed: `${typeOf(data)} ${formatRdata(data)}: the name has no final dot, so the zone was added to it`,
          verify: typeOf(data),
          fix: await fix(),
        }),
      );
    }
    findings.push(...reverseFindings(record, context), ...specialAddressFindings(record, context));
  }
  for (const [name, here] of byName) {
    const aliases = here.filter(({ data }) => data.type === "CNAME");
    const others = here.filter(({ data }) => !["CNAME", "RRSIG", "NSEC"].includes(data.type));
    if (aliases.length > 0 && others.length > 0) {
      findings.push(
        context.finding("zone-cname-and-other", {
          owner: name,
          observed: `CNAME beside ${[...new Set(others.map(({ data }) => typeOf(data)))].join(", ")}`,
          verify: "CNAME",
        }),
      );
    } else if (aliases.length > 0 && name === origin) {
      findings.push(
        context.finding("zone-apex-cname", {
          owner: name,
          observed: `CNAME ${formatRdata(aliases[0]!.data)} at the apex`,
          verify: "CNAME",
        }),
      );
    }
  }
  return findings;
}

/** The record as it was meant: owner and target with the zone in them once. */
export function withoutDoubling(record: ResourceRecord, zone: DomainName): ResourceRecord {
  const { data } = record;
  const name = undoubled(record.name, zone) ?? record.name;
  const target = undoubled(data.type === "MX" ? data.exchange : "target" in data ? data.target : ROOT, zone);
  if (target === undefined) return { ...record, name };
  return {
    ...record,
    name,
    data: { ...data, ...(data.type === "MX" ? { exchange: target } : { target }) } as Rdata,
  };
}

/** E5: an IPv6 reverse name of fewer than 32 nibbles; E2: a reverse name that nobody can be delegated. */
function reverseFindings({ name, data }: ResourceRecord, context: Context): Finding[] {
  if (data.type !== "PTR" || !name.endsWith(".arpa")) return [];
  const address = parseReverseName(name);
  if (!address.ok) {
    return [context.finding("ptr-wrong-owner", { owner: name, observed: address.problem, verify: "PTR" })];
  }
  const special = context.special(address.value);
  if (special === undefined) return [];
  return [
    context.finding("address-special", {
      owner: name,
      observed: `PTR for ${address.value.text}, which is ${special.description}: its reverse zone cannot be delegated to anybody`,
      verify: "PTR",
    }),
  ];
}

/** The check looks at mail hosts only; a text should have no such address anywhere. */
function specialAddressFindings({ name, data }: ResourceRecord, context: Context): Finding[] {
  if (data.type !== "A" && data.type !== "AAAA") return [];
  const address = parseAddress(data.address);
  const special = address.ok ? context.special(address.value) : undefined;
  if (special === undefined) return [];
  return [
    context.finding("address-special", {
      owner: name,
      observed: `${data.type} ${data.address} is ${special.description}`,
      verify: data.type,
    }),
  ];
}

/** E1: lines that are no zone text, but look like records all the same. */
async function lineFindings(lines: readonly string[], context: Context): Promise<Finding[]> {
  const found = await Promise.all(
    lines.map(async (line) => {
      const mistaken = readMistakenAddress(line);
      if (mistaken === undefined) return [];
      const { owner, number, type, target } = mistaken;
      const findings = [
        context.finding("address-is-name", {
          owner,
          observed: `${type} ${target}`,
          verify: type,
          fix: await context.fix(
            `Make ${owner} an alias of ${target}, or give it the address of ${target}.`,
            {
              create: [proposed(owner, { type: "CNAME", target })],
            },
          ),
        }),
      ];
      if (number !== undefined) {
        findings.push(
          context.finding("address-with-priority", {
            owner,
            observed: `${number} in front of ${type}`,
            verify: type,
          }),
        );
      }
      return findings;
    }),
  );
  return found.flat();
}

/** What a line that cannot be read was probably meant to be. */
function hintsFor(line: string, origin: DomainName | undefined): string[] {
  const hints: string[] = [];
  const asked = origin && readCommand(line)?.name;
  if (asked && !isWithin(asked, origin) && !asked.endsWith(".arpa"))
    hints.push(`this command asks for ${asked}, which is not in ${origin}`);
  const group = line.split(/[\s()>–—-]+/).find((word) => /^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){2,6}$/i.test(word));
  if (group !== undefined)
    hints.push(`"${group}" is an incomplete IPv6 address: it needs "::" or eight groups`);
  if (readMistakenAddress(line) !== undefined)
    hints.push("an A record holds an address, not a name, and has no priority");
  const [, preference, exchange] = /^\s*\S+\s+(\d{1,5})\s+(?:IN\s+)?MX\s+([A-Za-z]\S*)\s*$/i.exec(line) ?? [];
  if (exchange !== undefined)
    hints.push(`the preference stands behind the type: MX ${preference} ${exchange}`);
  if (/[“”„‘’]/.test(line)) hints.push("typographic quotation marks do not quote");
  return hints;
}
