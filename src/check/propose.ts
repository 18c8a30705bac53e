/** A description for a domain that is there already: what its DNS says, in the words of zonepost.yaml. */
import { COMMON_DKIM_SELECTORS } from "../standards/dkim/selector.ts";
import { isDmarcRecord, parseDmarcRecord } from "../standards/dmarc/record.ts";
import { type DomainName, isWithin, ROOT, tryPrepend } from "../standards/dns/name.ts";
import { octetsToText, type RecordType, txtText } from "../standards/dns/record.ts";
import { isSpfRecord, parseSpfRecord, type SpfTerm } from "../standards/spf/record.ts";
import { parseTlsRptRecord } from "../standards/tls-rpt/record.ts";
import type { Context } from "./context.ts";

export interface ProposedServer {
  readonly host: DomainName;
  readonly addresses: readonly string[];
}

export interface Proposal {
  readonly domain: DomainName;
  /** As under `domains` of zonepost.yaml. */
  readonly content: Readonly<Record<string, unknown>>;
  /** Mail servers of the domain's own that are not described yet. */
  readonly servers: readonly ProposedServer[];
  /** What was found, one line each, for people. */
  readonly found: readonly { readonly what: string; readonly text: string }[];
  /** What could not be looked up: nothing is proposed of it. */
  readonly untold: readonly string[];
  /** What was found and has no words in a description. */
  readonly left: readonly string[];
}

const MAX_TOKENS = 30;
const MAX_MAIL_SERVERS = 20;

export async function propose(context: Context, knownHosts: readonly DomainName[]): Promise<Proposal> {
  const { domain } = context;
  const draft = new Draft(context);
  const [mail, sender, ...rest] = await Promise.all([
    mailServers(draft, knownHosts),
    senderTerms(draft),
    dkimKeys(draft),
    dmarcPolicy(draft),
    tlsReports(draft),
    issuers(draft),
  ]);
  const { spf, ...others } = sender;
  const content = Object.assign({ domain }, mail.content, others, spf && { spf }, ...rest) as object;
  return {
    domain,
    content: { ...content },
    servers: mail.servers,
    found: draft.found,
    untold: draft.untold,
    left: draft.left,
  };
}

type Piece = Readonly<Record<string, unknown>>;

class Draft {
  readonly context: Context;
  readonly found: { what: string; text: string }[] = [];
  readonly untold: string[] = [];
  readonly left: string[] = [];

  constructor(context: Context) {
    this.context = context;
  }

  /** Undefined where the name cannot be, or could not be told; empty where nothing is there. */
  async records<T extends RecordType>(name: DomainName | undefined, type: T) {
    if (name === undefined) return undefined;
    const answer = await this.context.lookup(name, type);
    if (answer.status === "unknown") {
      this.untold.push(`${name} ${type}: ${answer.detail}`);
      return undefined;
    }
    return answer.status === "found" ? answer.records : [];
  }

  async texts(prefix: string | undefined): Promise<readonly string[]> {
    const { domain } = this.context;
    const name = prefix === undefined ? domain : tryPrepend(prefix, domain);
    return ((await this.records(name, "TXT")) ?? []).map(({ data }) => octetsToText(txtText(data)));
  }
}

async function mailServers(draft: Draft, knownHosts: readonly DomainName[]) {
  const { domain } = draft.context;
  const records = await draft.records(domain, "MX");
  if (records === undefined || records.length === 0) return { content: {}, servers: [] };
  const sorted = records
    .map(({ data }) => data)
    .toSorted((one, other) => one.preference - other.preference)
    .slice(0, MAX_MAIL_SERVERS);
  for (const { preference, exchange } of sorted)
    draft.found.push({ what: "MX", text: `${preference} ${exchange}` });
  if (sorted.every(({ exchange }) => exchange === ROOT)) return { content: { receives: false }, servers: [] };
  const own = sorted.filter(({ exchange }) => isWithin(exchange, domain) && !knownHosts.includes(exchange));
  const looked = await Promise.all(own.map(({ exchange }) => serverOf(exchange, draft)));
  const servers = looked.filter((one) => one !== undefined && one !== "lost");
  // A name of the domain's own that leads nowhere is a mistake, and no wish.
  const lost = own.map(({ exchange }) => exchange).filter((_, at) => looked[at] === "lost");
  for (const host of lost) draft.left.push(`MX: ${host} has no address`);
  const wanted = sorted.filter(({ exchange }) => !lost.includes(exchange));
  if (wanted.length === 0) return { content: {}, servers: [] };
  const hosts = wanted.map(({ exchange }) => exchange);
  const described = new Set([...knownHosts, ...servers.map(({ host }) => host)]);
  const isUsual = hosts.length === described.size && hosts.every((host) => described.has(host));
  const mx = wanted.map(({ preference, exchange }) => ({ host: exchange, preference }));
  return { content: isUsual ? {} : { mx }, servers };
}

/** `lost` where it surely has no address; undefined where that could not be told. */
async function serverOf(host: DomainName, draft: Draft): Promise<ProposedServer | "lost" | undefined> {
  const [four, six] = await Promise.all([draft.records(host, "A"), draft.records(host, "AAAA")]);
  const addresses = [...(four ?? []), ...(six ?? [])].map(({ data }) => data.address);
  for (const address of addresses) draft.found.push({ what: `address of ${host}`, text: address });
  if (addresses.length > 0) return { host, addresses };
  return four === undefined || six === undefined ? undefined : "lost";
}

const ENDINGS = { "-": "fail", "~": "softfail", "?": "neutral", "+": undefined } as const;

/** SPF, and the tokens that stand beside it. */
async function senderTerms(draft: Draft): Promise<{ spf?: Piece; verification?: readonly string[] }> {
  const texts = await draft.texts(undefined);
  const [spfText] = texts.filter(isSpfRecord);
  const others = texts.filter((text) => !isSpfRecord(text) && /^[\x20-\x7e]+$/.test(text));
  // Records of mail have names of their own: here they were entered at the wrong one.
  const strays = others.filter((text) => /^\s*v\s*=/i.test(text));
  for (const text of strays) draft.left.push(`TXT at ${draft.context.domain}: ${text.slice(0, 60)}`);
  const tokens = others.filter((text) => !strays.includes(text)).slice(0, MAX_TOKENS);
  const verification = tokens.length > 0 ? { verification: tokens } : {};
  if (spfText === undefined) return verification;
  draft.found.push({ what: "SPF", text: spfText });
  const record = parseSpfRecord(spfText);
  if (!record.ok) {
    draft.left.push(`SPF: ${record.problem}`);
    return verification;
  }
  return { spf: spfPiece(record.value.terms, draft), ...verification };
}

function spfPiece(terms: readonly (SpfTerm & { readonly text: string })[], draft: Draft): Piece {
  const mechanisms = new Set<string>();
  const include: string[] = [];
  const addresses: string[] = [];
  const hosts: string[] = [];
  let ending: string | undefined;
  for (const term of terms) {
    const isPass = "qualifier" in term && term.qualifier === "+";
    const written = term.text.replace(/^\+/, "");
    if (term.kind === "all") ending = ENDINGS[term.qualifier];
    else if (
      isPass &&
      (term.kind === "mx" || term.kind === "a") &&
      term.domain === undefined &&
      !/\//.test(written)
    )
      mechanisms.add(term.kind);
    else if (isPass && term.kind === "include") include.push(written.slice("include:".length));
    else if (isPass && (term.kind === "ip4" || term.kind === "ip6")) addresses.push(written.slice(4));
    else if (isPass && term.kind === "a" && !/\//.test(written)) hosts.push(written.slice(2));
    else draft.left.push(`SPF: ${term.text}`);
  }
  return {
    mechanisms: [...mechanisms],
    ...(include.length > 0 && { include }),
    ...(addresses.length > 0 && { addresses }),
    ...(hosts.length > 0 && { hosts }),
    ...(ending !== undefined && { ending }),
  };
}

async function dkimKeys(draft: Draft): Promise<Piece> {
  const { context } = draft;
  const keys = await Promise.all(
    COMMON_DKIM_SELECTORS.map(async (selector) => {
      const name = tryPrepend(`${selector}._domainkey`, context.domain);
      // A selector that is only usual is no loss where it cannot be told.
      const answer = name === undefined ? undefined : await context.lookup(name, "TXT");
      if (answer?.status !== "found") return undefined;
      if (answer.aliases.length > 0) return { selector, cname: answer.canonicalName };
      const publicKey = octetsToText(txtText(answer.records[0]!.data));
      return /\bp=[A-Za-z0-9+/]/.test(publicKey) ? { selector, publicKey } : undefined;
    }),
  );
  const dkim = keys.filter((key) => key !== undefined);
  for (const { selector } of dkim) draft.found.push({ what: "DKIM", text: selector });
  return dkim.length > 0 ? { dkim } : {};
}

async function dmarcPolicy(draft: Draft): Promise<Piece> {
  const [text] = (await draft.texts("_dmarc")).filter(isDmarcRecord);
  if (text === undefined) return {};
  draft.found.push({ what: "DMARC", text });
  const record = parseDmarcRecord(text);
  if (!record.ok) {
    draft.left.push(`DMARC: ${record.problem}`);
    return {};
  }
  const { policy, subdomainPolicy, nonexistentPolicy, aggregateUris, failureUris, ...rest } = record.value;
  const mailboxes = (uris: readonly string[]) =>
    uris.filter((uri) => /^mailto:/i.test(uri)).map((uri) => uri.slice("mailto:".length));
  const failureReports = mailboxes(failureUris);
  return {
    dmarc: {
      policy: policy ?? "none",
      ...(subdomainPolicy && { subdomainPolicy }),
      ...(nonexistentPolicy && { nonexistentPolicy }),
      reports: mailboxes(aggregateUris),
      ...(failureReports.length > 0 && { failureReports }),
      ...(rest.spfAlignment === "strict" && { spfAlignment: "strict" }),
      ...(rest.dkimAlignment === "strict" && { dkimAlignment: "strict" }),
      ...(rest.testing && { testing: true }),
    },
  };
}

async function tlsReports(draft: Draft): Promise<Piece> {
  const [text] = await draft.texts("_smtp._tls");
  const record = text === undefined ? undefined : parseTlsRptRecord(text);
  if (text === undefined || record?.ok !== true) return {};
  draft.found.push({ what: "TLS-RPT", text });
  return { tlsReports: record.value.aggregateUris.map((uri) => uri.replace(/^mailto:/i, "")) };
}

async function issuers(draft: Draft): Promise<Piece> {
  const records = (await draft.records(draft.context.domain, "CAA")) ?? [];
  if (records.length === 0) return {};
  const caa = records.map(({ data: { tag, value } }) => ({
    tag: tag.toLowerCase(),
    value: octetsToText(value),
  }));
  for (const { tag, value } of caa) draft.found.push({ what: "CAA", text: `${tag} ${value}` });
  return { caa };
}
