/** What the world gets to see: questions to a recursive resolver, with what its DNSSEC validation says. */
import type { RecursiveView } from "../check/view.ts";
import { extendedErrors, type Message, RCODES, rcodeName } from "../standards/dns/message.ts";
import { type DomainName, ROOT } from "../standards/dns/name.ts";
import type { RecordType } from "../standards/dns/record.ts";
import type { Answer, Unknown } from "../standards/dns/resolver.ts";
import { type ChainStep, resolveChain } from "./alias-chain.ts";
import { AnswerCache, EVER, type KeptAnswer, type Since } from "./answer-cache.ts";
import { followAliases, negativeTtlSeconds, soaFor } from "./answer-section.ts";
import type { DnsReply, DnsTransport } from "./dns-transport.ts";
import { formatServerAddress, type ServerAddress } from "./server-address.ts";

export interface RecursiveViewOptions {
  readonly server: ServerAddress;
  readonly transport: DnsTransport;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  /** For each lookup; 8 seconds where absent. */
  readonly timeoutMilliseconds?: number;
  /** Of the cache; 50,000 where absent. */
  readonly maxCacheEntries?: number;
  /** False where each question is to reach the resolver; true where absent. */
  readonly keepsAnswers?: boolean;
  /** Lookups under way reject with its reason. */
  readonly signal?: AbortSignal;
}

export const LOOKUP_TIMEOUT_MILLISECONDS = 8_000;
/** Resolvers work on hard questions for a while; asking again is for lost packets. */
const FIRST_TIMEOUT_MILLISECONDS = 400;
const ATTEMPTS = 5;

export function createRecursiveView(options: RecursiveViewOptions): RecursiveView {
  return createRecursiveViews(options)(EVER);
}

/** Views that remember together; each makes of it what is not too old for it. */
export function createRecursiveViews(options: RecursiveViewOptions): (since: Since) => RecursiveView {
  const { now, maxCacheEntries, keepsAnswers = true } = options;
  const cache = new AnswerCache({ now, ...(maxCacheEntries && { maxEntries: maxCacheEntries }) });
  return (since) => ({
    label: formatServerAddress(options.server),
    lookup<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
      if (!keepsAnswers) return resolveName(name, type, options).then(({ answer }) => answer);
      const oldest = since(name);
      const kept = cache.get(name, type, oldest);
      if (kept) return Promise.resolve(aged(kept.answer, kept.ageSeconds));
      return cache.join(name, type, () => resolveName(name, type, options), oldest);
    },
  });
}

/** A cached answer counts down, as it does for everyone behind the resolver (RFC 1035 §3.2.1). */
function aged<T extends RecordType>(answer: Answer<T>, ageSeconds: number): Answer<T> {
  if (ageSeconds === 0 || answer.status === "unknown") return answer;
  const left = (seconds: number) => Math.max(0, seconds - ageSeconds);
  if (answer.status === "found") {
    const records = answer.records.map((record) => ({ ...record, ttlSeconds: left(record.ttlSeconds) }));
    return { ...answer, records };
  }
  if (answer.negativeTtlSeconds === undefined) return answer;
  return { ...answer, negativeTtlSeconds: left(answer.negativeTtlSeconds) };
}

function resolveName<T extends RecordType>(
  name: DomainName,
  type: T,
  options: RecursiveViewOptions,
): Promise<KeptAnswer<T>> {
  const deadline = performance.now() + (options.timeoutMilliseconds ?? LOOKUP_TIMEOUT_MILLISECONDS);
  return resolveChain<T>(name, async (at) => {
    const reply = await ask(at, type, deadline, options);
    return "status" in reply ? reply : readReply(reply, at, type, options);
  });
}

function readReply<T extends RecordType>(
  reply: Message,
  name: DomainName,
  type: T,
  options: RecursiveViewOptions,
): ChainStep<T> | Unknown {
  const end = followAliases(reply.answers, name, type, ROOT);
  const step = { end, secure: reply.authenticData };
  if (end.records.length > 0 || end.problem !== undefined) return step;
  const soa = soaFor(reply, end.name);
  const isNxdomain = reply.rcode === RCODES.NXDOMAIN;
  if (end.aliases.length === 0 && reply.answers.length > 0 && soa === undefined && !isNxdomain) {
    const detail = `${formatServerAddress(options.server)} answers with records that nobody asked for`;
    return { status: "unknown", cause: "malformed", detail };
  }
  // A chain that stops without a word about its end was cut: the rest is asked for.
  if (end.aliases.length > 0 && soa === undefined && !isNxdomain) return step;
  const kind = isNxdomain ? "nxdomain" : "nodata";
  return { ...step, absence: { kind, ...(soa && { negativeTtlSeconds: negativeTtlSeconds(soa) }) } };
}

/** One question with its second one: a SERVFAIL that goes away without checking is DNSSEC's (RFC 4035 §5.5). */
async function ask(
  name: DomainName,
  type: RecordType,
  deadline: number,
  options: RecursiveViewOptions,
): Promise<Message | Unknown> {
  const { server, transport, signal } = options;
  const query = { name, type, recursionDesired: true };
  const patience = {
    firstTimeoutMilliseconds: FIRST_TIMEOUT_MILLISECONDS,
    attempts: ATTEMPTS,
    deadline,
    ...(signal && { signal }),
  };
  const label = formatServerAddress(server);
  const reply = await transport.exchange(server, query, patience);
  if (!reply.ok) return unknown(reply);
  const { message } = reply;
  switch (message.rcode) {
    case RCODES.NOERROR:
    case RCODES.NXDOMAIN:
      return refusalOf(message, label) ?? message;
    case RCODES.REFUSED:
      return { status: "unknown", cause: "refused", detail: `${label} answers REFUSED${reasonOf(message)}` };
    case RCODES.SERVFAIL: {
      const detail = `${label} answers SERVFAIL${reasonOf(message)}`;
      if (isNetworkTrouble(message)) return { status: "unknown", cause: "servfail", detail };
      const unchecked = await transport.exchange(server, { ...query, checkingDisabled: true }, patience);
      const isAnswered = unchecked.ok && isAnswer(unchecked.message);
      return { status: "unknown", cause: isAnswered ? "bogus" : "servfail", detail };
    }
    default: {
      const detail = `${label} answers ${rcodeName(message.rcode)}${reasonOf(message)}`;
      return { status: "unknown", cause: "servfail", detail };
    }
  }
}

function unknown({ cause, detail }: DnsReply & { ok: false }): Unknown {
  return { status: "unknown", cause, detail };
}

function isAnswer(message: Message): boolean {
  return message.rcode === RCODES.NOERROR || message.rcode === RCODES.NXDOMAIN;
}

/** A server that does not recurse must not make names look absent: a referral, or nothing at all, is no answer. */
function refusalOf(message: Message, label: string): Unknown | undefined {
  if (message.answers.length > 0) return undefined;
  const hasSoa = message.authorities.some(({ data }) => data.type === "SOA");
  const refers = !hasSoa && message.authorities.some(({ data }) => data.type === "NS");
  if (!refers && (message.recursionAvailable || message.authoritative)) return undefined;
  return { status: "unknown", cause: "refused", detail: `${label} does not resolve names for us` };
}

/** RFC 8914 §4.23–4.24: the resolver says itself that it could not reach the zone's servers. */
function isNetworkTrouble(message: Message): boolean {
  return extendedErrors(message).some(({ infoCode }) => infoCode === 22 || infoCode === 23);
}

/** " (signature expired: …)" from the extended errors, made safe to print. */
function reasonOf(message: Message): string {
  const reasons = extendedErrors(message)
    .slice(0, 3)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a server must not write to the terminal
    .map(({ purpose, extraText }) => [purpose, extraText.replace(/[\x00-\x1f\x7f-\x9f]/g, " ").slice(0, 200)])
    .map(([purpose, text]) => (text === "" ? purpose : `${purpose}: ${text}`));
  return reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
}
