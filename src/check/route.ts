/**
 * The way that a sending server would go to deliver to an address: the MX in order (RFC 5321 §5.1), the addresses
 * of each, who answers, and which TLS the sender insists on (RFC 7672, RFC 8461). No message is sent.
 */
import { evaluateDane } from "../standards/dane/evaluate.ts";
import { type DomainName, parseDomainName, ROOT, tryPrepend } from "../standards/dns/name.ts";
import type { Parsed } from "../standards/dns/parsed.ts";
import { allowsMx, type MtaStsPolicy } from "../standards/mta-sts/policy.ts";
import { certificateFaults, standsFor } from "./certificate.ts";
import type { Context } from "./context.ts";
import { servedPolicy } from "./mta-sts-policy.ts";
import { addressInMx, mailHosts } from "./mx.ts";
import type { ServiceProbe, ServiceSession } from "./probe.ts";
import { socketText } from "./probe-command.ts";
import { type Reached, reachedMailServers } from "./reach.ts";

export interface MailAddress {
  /** As it is written, case kept; not checked beyond what the way needs. */
  readonly localPart: string;
  readonly domain: DomainName;
}

/** Enough of RFC 5321 §4.1.2 to go on with: no quoted local parts with "@" in them, no address literals. */
export function parseMailAddress(text: string): Parsed<MailAddress> {
  const at = text.lastIndexOf("@");
  if (at < 1) return { ok: false, problem: `"${text}" is not an address such as bob@example.org` };
  const localPart = text.slice(0, at);
  if (/[\s\p{Cc}<>]/u.test(localPart) || localPart.length > 64) {
    return { ok: false, problem: `"${localPart}" cannot stand in front of the @` };
  }
  const domain = parseDomainName(text.slice(at + 1));
  return domain.ok ? { ok: true, value: { localPart, domain: domain.value } } : domain;
}

/** What a sender makes of one address of one mail server. */
export interface Hop {
  readonly host: DomainName;
  /** Undefined where senders fall back to the domain's own address. */
  readonly preference: number | undefined;
  /** "192.0.2.25:25" */
  readonly at: string;
  readonly tls: TlsRule;
  /** `takes` mail goes here · `skipped` the next one is tried · `refuses` mail comes back at once · `untold`. */
  readonly outcome: "takes" | "skipped" | "refuses" | "untold";
  /** One clause for people. */
  readonly because: string;
}

/** What the sender asks of TLS at a host. */
export type TlsRule = "dane" | "mta-sts" | "opportunistic";

export interface Route {
  readonly address: MailAddress;
  /** How the hosts were found. */
  readonly by: "mx" | "fallback" | "null-mx" | "nothing" | "unknown";
  readonly mode: MtaStsPolicy["mode"] | undefined;
  /** In the order of a sender; equal preferences in the order of DNS, which senders shuffle. */
  readonly hops: readonly Hop[];
  readonly verdict: "delivered" | "deferred" | "refused" | "unknown";
  /** One sentence for people. */
  readonly sentence: string;
}

export async function findRoute(
  address: MailAddress,
  context: Context,
  /** Asks the servers whether they would take mail for the recipient, from this sender ("" is the null sender). */
  rcptFrom?: string,
): Promise<Route> {
  const [found, policy] = await Promise.all([findHosts(context), servedPolicy(context)]);
  const start = { address, by: found.by, mode: policy?.mode };
  if (found.by === "null-mx") {
    const sentence = `${address.domain} takes no mail: it publishes a null MX (RFC 7505), and mail comes back at once.`;
    return { ...start, hops: [], verdict: "refused", sentence };
  }
  if (found.by === "unknown") {
    return { ...start, hops: [], verdict: "unknown", sentence: `The MX could not be told: ${found.detail}.` };
  }
  if (found.hosts.length === 0 || found.by === "nothing") {
    const sentence = `${address.domain} has no MX that names a host, and no address to fall back to: mail comes back.`;
    return { ...start, hops: [], verdict: "refused", sentence };
  }
  const reached = await reachedMailServers(context);
  const hops: Hop[] = [];
  for (const { host, preference } of found.hosts) {
    const own = reached.filter((one) => one.host === host);
    const tls = await tlsRule(host, policy, context);
    if (own.length === 0)
      hops.push({ host, preference, at: host, tls: tls.rule, ...(await nowhere(host, context)) });
    for (const one of own) {
      hops.push({
        host,
        preference,
        at: socketText(one.address, one.port),
        tls: tls.rule,
        ...judge(one, tls, address, context),
      });
    }
  }
  const asked = rcptFrom === undefined ? hops : await askRecipient(hops, reached, address, rcptFrom, context);
  return { ...start, hops: asked, ...verdictOf(asked) };
}

type Hosts =
  | { readonly by: "mx" | "fallback" | "nothing" | "null-mx"; readonly hosts: readonly Candidate[] }
  | { readonly by: "unknown"; readonly detail: string };
interface Candidate {
  readonly host: DomainName;
  readonly preference: number | undefined;
}

async function findHosts(context: Context): Promise<Hosts> {
  const answer = await context.everywhere(context.domain, "MX");
  if (answer.status === "unknown") return { by: "unknown", detail: `${answer.cause}: ${answer.detail}` };
  if (answer.status === "absent") {
    if (answer.kind === "nxdomain") return { by: "nothing", hosts: [] };
    const hosts = (await hasAddress(context.domain, context)) ? await mailHosts(context) : [];
    return { by: "fallback", hosts: hosts.map((host) => ({ host, preference: undefined })) };
  }
  if (answer.records.every(({ data }) => data.exchange === ROOT)) return { by: "null-mx", hosts: [] };
  const hosts = (await mailHosts(context)).map((host) => ({
    host,
    preference: answer.records
      .filter(({ data }) => data.exchange === host)
      .reduce((least, { data }) => Math.min(least, data.preference), Number.POSITIVE_INFINITY),
  }));
  return { by: "mx", hosts: hosts.filter(({ host }) => addressInMx(host, context.domain) === undefined) };
}

async function hasAddress(host: DomainName, context: Context): Promise<boolean> {
  const answers = await Promise.all([context.lookup(host, "A"), context.lookup(host, "AAAA")]);
  return answers.some(({ status }) => status !== "absent");
}

type Judged = Pick<Hop, "outcome" | "because">;
const takes = (because: string): Judged => ({ outcome: "takes", because });
const skipped = (because: string): Judged => ({ outcome: "skipped", because });
const untold = (because: string): Judged => ({ outcome: "untold", because });

/** A host that was not connected to: no address, none that is decent to connect to, or no prober. */
async function nowhere(host: DomainName, context: Context): Promise<Judged> {
  const answers = await Promise.all([context.lookup(host, "A"), context.lookup(host, "AAAA")]);
  if (answers.some(({ status }) => status === "found")) {
    return context.world.prober === undefined
      ? untold("not connected to, since DNS alone is asked")
      : skipped("its address is not one of the internet");
  }
  return answers.some(({ status }) => status === "unknown")
    ? untold("its addresses could not be looked up")
    : skipped("it has no address");
}

interface Insisting {
  readonly rule: TlsRule;
  readonly policy?: MtaStsPolicy;
  readonly records?: Parameters<typeof evaluateDane>[0];
  /** Why it cannot be told whether DANE asks for more; senders put the mail off then (RFC 7672 §2.1.2). */
  readonly untold?: string;
}

/** RFC 8461 §2: DANE comes first where both are there. */
async function tlsRule(
  host: DomainName,
  policy: MtaStsPolicy | undefined,
  context: Context,
): Promise<Insisting> {
  const owner = tryPrepend("_25._tcp", host);
  const answer = owner && (await context.lookup(owner, "TLSA"));
  if (owner !== undefined && answer?.status === "found") {
    const signatures = await context.world.authoritative.lookupSignatures(owner, "TLSA");
    if ("status" in signatures) return { rule: "dane", untold: signatures.detail };
    if (signatures.length > 0) return { rule: "dane", records: answer.records.map(({ data }) => data) };
  }
  if (answer?.status === "unknown") return { rule: "dane", untold: answer.detail };
  return policy?.mode === "enforce" ? { rule: "mta-sts", policy } : { rule: "opportunistic" };
}

function judge({ host, probe }: Reached, rule: Insisting, address: MailAddress, context: Context): Judged {
  if (rule.untold !== undefined) return untold(`its TLSA could not be looked up: ${rule.untold}`);
  if (rule.policy !== undefined && !allowsMx(rule.policy, host))
    return skipped("the MTA-STS policy does not name it");
  const connection = connectionFault(probe);
  if (connection !== undefined) return connection;
  const session = probe as ServiceSession;
  const { code = 220, text } = session.greeting;
  if (code >= 400) return skipped(`it greets with ${code} ${text.slice(0, 100)}`);
  const needsUtf8 = /[^\0-\x7f]/.test(address.localPart);
  const capabilities = [...session.capabilities, ...(session.capabilitiesInTls ?? [])];
  if (needsUtf8 && !capabilities.some((one) => one.toUpperCase() === "SMTPUTF8")) {
    return { outcome: "refuses", because: "the address is not ASCII, and it offers no SMTPUTF8 (RFC 6531)" };
  }
  return judgeTls(session, host, rule, context);
}

function connectionFault(probe: ServiceProbe): Judged | undefined {
  switch (probe.status) {
    case "answered":
      return undefined;
    case "refused":
      return skipped("the connection is refused");
    case "timeout":
      return skipped("there is no answer on port 25");
    case "unreachable":
    case "broken":
      return untold(probe.detail);
    default:
      return probe satisfies never;
  }
}

function judgeTls({ tls }: ServiceSession, host: DomainName, rule: Insisting, context: Context): Judged {
  if (tls.status !== "established") {
    if (tls.status === "broken") return untold(`TLS: ${tls.detail}`);
    const what = tls.status === "failed" ? `TLS fails (${tls.detail})` : "it offers no TLS";
    return rule.rule === "opportunistic"
      ? takes(`${what}, so mail goes in the clear`)
      : skipped(`${what}, which is asked for`);
  }
  switch (rule.rule) {
    case "opportunistic":
      return takes(`${tls.version}; nobody looks at the certificate`);
    case "mta-sts": {
      const [fault] = certificateFaults(tls, host, context.world.now).filter(
        ({ code }) => code !== "certificate-expiring",
      );
      return fault === undefined
        ? takes(`${tls.version}, with a valid certificate`)
        : skipped(`its certificate is not valid: ${fault.observed}`);
    }
    case "dane": {
      const decision = evaluateDane(
        rule.records ?? [],
        tls.chain.map(({ der }) => der),
      );
      if (!decision.matches) return skipped(decision.reason);
      const isNamed = tls.chain[0]!.names.some((name) => standsFor(name, host));
      return decision.namesCount && !isNamed
        ? skipped("its certificate is for another name")
        : takes(`${tls.version}, and TLSA fits the certificate`);
    }
    default:
      return rule.rule satisfies never;
  }
}

/** Goes on while servers put off; the first one that says yes or no for good has decided. */
async function askRecipient(
  hops: readonly Hop[],
  reached: readonly Reached[],
  { localPart, domain }: MailAddress,
  mailFrom: string,
  context: Context,
): Promise<readonly Hop[]> {
  const asked: Hop[] = [];
  let isDecided = false;
  for (const hop of hops) {
    const server = reached.find(
      (one) => one.host === hop.host && socketText(one.address, one.port) === hop.at,
    );
    if (isDecided || hop.outcome !== "takes" || server === undefined || context.world.prober === undefined) {
      asked.push(hop);
      continue;
    }
    const probe = await context.world.prober.probeService({
      protocol: "smtp",
      address: server.address,
      port: server.port,
      host: server.host,
      envelope: { mailFrom, rcptTo: `${localPart}@${domain}` },
    });
    const judged = judgeReplies(probe);
    isDecided = judged.outcome === "takes" || judged.outcome === "refuses";
    asked.push({ ...hop, ...judged });
  }
  return asked;
}

function judgeReplies(probe: ServiceProbe): Judged {
  if (probe.status !== "answered") return connectionFault(probe)!;
  const last = probe.replies?.at(-1);
  if (last === undefined) return untold("it did not come to the recipient");
  const said = `${last.command}: ${last.code} ${last.text.slice(0, 200)}`;
  if (last.code >= 500) return { outcome: "refuses", because: said };
  if (last.code >= 400) return skipped(said);
  return last.command === "RCPT TO" ? takes(said) : untold(said);
}

function verdictOf(hops: readonly Hop[]): Pick<Route, "verdict" | "sentence"> {
  const decisive = hops.find(({ outcome }) => outcome !== "skipped");
  if (decisive === undefined) {
    const why = [...new Set(hops.map(({ host, because }) => `${host}: ${because}`))].slice(0, 4).join("; ");
    return {
      verdict: "deferred",
      sentence: `No server takes it. Senders try again for days, then mail comes back. ${why}.`,
    };
  }
  const { host, at, because, outcome } = decisive;
  switch (outcome) {
    case "takes":
      return { verdict: "delivered", sentence: `Mail goes to ${host} at ${at}: ${because}.` };
    case "refuses":
      return { verdict: "refused", sentence: `${host} at ${at} refuses it: ${because}.` };
    case "untold":
    case "skipped":
      return { verdict: "unknown", sentence: `Could not tell at ${host} (${at}): ${because}.` };
    default:
      return outcome satisfies never;
  }
}
