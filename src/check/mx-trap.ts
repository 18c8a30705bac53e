/**
 * A trap MX (R12): an MX with the highest number, which nobody has a reason to ask while a better one answers. Who
 * comes to it without having tried a better one is no mail server that follows RFC 5321 §5.1.
 */
import { parseAddress } from "../standards/dns/address.ts";

/** One connection to the trap; as JSON, one line of its log. */
export interface TrapContact {
  readonly time: Date;
  /** An address. */
  readonly client: string;
  readonly helo?: string;
  /** Which host was asked. */
  readonly host?: string;
}

/** What one line of a log tells; `undefined` a line about something else. */
export interface ReadLog {
  readonly contacts: readonly TrapContact[];
  /** Lines that look as if they should tell of a connection, and cannot be read. */
  readonly unreadable: readonly number[];
}

/** `now` tells the year that Postfix leaves out; `utcOffsetMinutes` the zone that it writes its times in. */
export interface LogClock {
  readonly now: Date;
  readonly utcOffsetMinutes: number;
}

/** Lines of our own (JSON), and those of Postfix that say "connect from", in any mixture. */
export function readContactLog(text: string, clock: LogClock): ReadLog {
  const contacts: TrapContact[] = [];
  const unreadable: number[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const read = line.trimStart().startsWith("{") ? readJsonLine(line) : readPostfixLine(line, clock);
    if (read === "unreadable") unreadable.push(at + 1);
    else if (read !== undefined) contacts.push(read);
  }
  return { contacts, unreadable };
}

export function formatContact({ time, client, helo, host }: TrapContact): string {
  return JSON.stringify({
    time: time.toISOString(),
    client,
    ...(helo !== undefined && { helo }),
    ...(host !== undefined && { host }),
  });
}

type ReadLine = TrapContact | "unreadable" | undefined;

function readJsonLine(line: string): ReadLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "unreadable";
  }
  const { time, client, helo, host } = value as Partial<Record<string, unknown>>;
  const at = typeof time === "string" && ISO_TIME.test(time) ? new Date(time) : undefined;
  const address = typeof client === "string" ? canonical(client) : undefined;
  if (at === undefined || Number.isNaN(at.getTime()) || address === undefined) return "unreadable";
  return {
    time: at,
    client: address,
    ...(typeof helo === "string" && { helo }),
    ...(typeof host === "string" && { host }),
  };
}

/** With its zone: a time without one would be anybody's. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** "Nov 21 06:03:34 mail postfix/smtpd[1]: connect from name[192.0.2.1]"; postscreen writes "CONNECT from [192.0.2.1]:4321". */
const POSTFIX_LINE =
  /^(\S+|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d) (\S+) postfix[\w-]*\/(?:[\w-]+\/)?(?:smtpd|postscreen)\[\d+\]: (?:connect|CONNECT) from \S*?\[([0-9A-Fa-f.:]+)\]/;

function readPostfixLine(line: string, clock: LogClock): ReadLine {
  const [, stamp, host, client] = POSTFIX_LINE.exec(line) ?? [];
  if (stamp === undefined) return undefined;
  const time = ISO_TIME.test(stamp) ? new Date(stamp) : readSyslogTime(stamp, clock);
  const address = canonical(client!);
  if (time === undefined || Number.isNaN(time.getTime()) || address === undefined) return "unreadable";
  return { time, client: address, host: host! };
}

const DAY_MILLISECONDS = 86_400_000;

/** The latest year in which the time does not lie ahead. */
function readSyslogTime(stamp: string, { now, utcOffsetMinutes }: LogClock): Date | undefined {
  const [, month = "", day, hour, minute, second] =
    /^([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)$/.exec(stamp) ?? [];
  const index = MONTHS.indexOf(month);
  if (index < 0) return undefined;
  const inYear = (year: number) =>
    new Date(
      Date.UTC(year, index, Number(day), Number(hour), Number(minute), Number(second)) -
        utcOffsetMinutes * 60_000,
    );
  const thisYear = inYear(now.getUTCFullYear());
  return thisYear.getTime() > now.getTime() + DAY_MILLISECONDS ? inYear(now.getUTCFullYear() - 1) : thisYear;
}

/** One spelling for each address; IPv4 as itself where it came in IPv6. */
function canonical(text: string): string | undefined {
  const address = parseAddress(text.replace(/^::ffff:(?=\d+\.)/i, ""));
  return address.ok ? address.value.text : undefined;
}

/** A time in which the better server was known to be down. */
export interface Outage {
  readonly from: Date;
  readonly to: Date;
}

export interface TrapOptions {
  /** How long before the trap a better server may have been tried. */
  readonly windowSeconds: number;
  /** A better server to which nobody connects for longer may have been down. */
  readonly quietSeconds: number;
  readonly outages: readonly Outage[];
}

/** Two hosts' clocks differ by this much at most. */
const CLOCK_SKEW_SECONDS = 60;

/**
 * `tried` a better server came first · `suspicious` it did not, though it answered · `primary-down` the better server
 * was down · `not-covered` its log does not tell of that time · `quiet` nobody at all came to it, so it may have been down.
 */
export type TrapJudgement = "tried" | "suspicious" | "primary-down" | "not-covered" | "quiet";

export interface SuspiciousClient {
  readonly client: string;
  /** Names it gave itself, each once. */
  readonly helos: readonly string[];
  readonly contacts: number;
  readonly first: Date;
  readonly last: Date;
}

export interface TrapReport {
  readonly counts: Readonly<Record<TrapJudgement, number>>;
  /** Who came most often stands first. */
  readonly suspicious: readonly SuspiciousClient[];
}

export function evaluateTrap(
  trap: readonly TrapContact[],
  primary: readonly TrapContact[],
  options: TrapOptions,
): TrapReport {
  const judge = judgeWith(primary, options);
  const judged = trap.map((contact) => ({ contact, judgement: judge(contact) }));
  const counts = { tried: 0, suspicious: 0, "primary-down": 0, "not-covered": 0, quiet: 0 };
  for (const { judgement } of judged) counts[judgement]++;
  const flagged = judged.flatMap(({ contact, judgement }) => (judgement === "suspicious" ? [contact] : []));
  const suspicious = [...Map.groupBy(flagged, ({ client }) => client)].map(([client, contacts]) => {
    const times = contacts.map(({ time }) => time.getTime()).sort((x, y) => x - y);
    return {
      client,
      helos: [...new Set(contacts.flatMap(({ helo }) => helo ?? []))],
      contacts: contacts.length,
      first: new Date(times[0]!),
      last: new Date(times.at(-1)!),
    };
  });
  suspicious.sort((x, y) => y.contacts - x.contacts || (x.client < y.client ? -1 : 1));
  return { counts, suspicious };
}

function judgeWith(
  primary: readonly TrapContact[],
  { windowSeconds, quietSeconds, outages }: TrapOptions,
): (contact: TrapContact) => TrapJudgement {
  const times = sortedTimes(primary);
  const byClient = new Map(
    [...Map.groupBy(primary, ({ client }) => client)].map(([client, all]) => [client, sortedTimes(all)]),
  );
  return ({ time, client }) => {
    const to = time.getTime() + CLOCK_SKEW_SECONDS * 1000;
    const from = time.getTime() - windowSeconds * 1000;
    const own = byClient.get(client) ?? [];
    const tried = own[firstAtOrAfter(own, from)];
    if (tried !== undefined && tried <= to) return "tried";
    // A sender that failed there a moment before the end of an outage comes here a moment after it.
    if (outages.some((outage) => outage.from.getTime() <= to && outage.to.getTime() >= from))
      return "primary-down";
    const first = times[0];
    const last = times.at(-1);
    if (first === undefined || last === undefined || first > from || last < time.getTime())
      return "not-covered";
    return longestQuiet(times, from, time.getTime()) > quietSeconds * 1000 ? "quiet" : "suspicious";
  };
}

function sortedTimes(contacts: readonly TrapContact[]): number[] {
  return contacts.map(({ time }) => time.getTime()).sort((x, y) => x - y);
}

/** The longest time without any connection that touches the span; both ends lie within the log. */
function longestQuiet(times: readonly number[], from: number, to: number): number {
  let longest = 0;
  for (let at = Math.max(1, firstAtOrAfter(times, from)); at < times.length; at++) {
    const before = times[at - 1]!;
    if (before > to) break;
    longest = Math.max(longest, times[at]! - before);
  }
  return longest;
}

function firstAtOrAfter(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
