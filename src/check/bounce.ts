/** A pasted bounce, or a mail server's log line, read: who refused what, with which code, and what is behind it. */
import { shellWord } from "../records/command.ts";
import { type IpAddress, parseAddress } from "../standards/dns/address.ts";
import { type DomainName, isHostName, parseDomainName } from "../standards/dns/name.ts";
import { BOUNCE_CAUSES, type BounceCause, type Provider } from "./bounce-causes.ts";
import { CATALOGUE, type FindingCode, type Group, isFindingCode } from "./catalogue.ts";
import { concernOf } from "./concern.ts";
import type { DomainReport, Finding } from "./finding.ts";

export interface Bounce {
  /** RFC 5321 §4.2: 550 */
  readonly replyCode: number | undefined;
  /** RFC 3463 §2: "5.7.26" */
  readonly enhancedCode: string | undefined;
  /** `temporary`: the server goes on trying. */
  readonly lasts: "permanent" | "temporary" | "unknown";
  /** The host that said it. */
  readonly host: DomainName | undefined;
  readonly provider: Provider | undefined;
  /** Where the mail came from, as the words or the log say. */
  readonly address: IpAddress | undefined;
  /** The domain that the refusal is about: of From or of the envelope sender. */
  readonly senderDomain: DomainName | undefined;
  readonly recipientDomain: DomainName | undefined;
  /** The words of the refusal, on one line. */
  readonly words: string;
  /** Undefined where the table knows nothing of the kind. */
  readonly cause: BounceCause | undefined;
  /** What it means, by the cause or by the codes alone. */
  readonly meaning: string;
  readonly reference: string;
}

/** Bounces carry the whole mail behind them; what counts stands in front. */
const MAX_CHARACTERS = 65_536;
const MAX_WORDS = 4000;

/**
 * Line ends alike, and no long run of blanks: with that, and with a bound on each run within a pattern, no text takes
 * time that grows with its square.
 */
const bound = (text: string): string =>
  text
    .slice(0, MAX_CHARACTERS)
    .replace(/\r\n?/g, "\n")
    .replace(/[^\S\n]+/g, " ")
    .replace(/\n(?: ?\n)+/g, "\n\n");

/** Undefined where the text is no refusal at all. */
export function readBounce(text: string): Bounce | undefined {
  const bounded = bound(text);
  const words = wordsOf(bounded);
  const replyCode = replyCodeOf(words);
  const enhancedCode = enhancedCodeOf(words) ?? statusField(bounded) ?? dsnField(bounded);
  const host = hostOf(bounded);
  const provider = providerOf(host, words);
  const cause = causeOf({ provider, enhancedCode, words });
  if (replyCode === undefined && enhancedCode === undefined && cause === undefined) return undefined;
  const general = generalMeaning(replyCode, enhancedCode);
  return {
    replyCode,
    enhancedCode,
    lasts: lastsOf(replyCode, enhancedCode, bounded),
    host,
    provider,
    address: addressOf(words, bounded, host),
    senderDomain: senderDomainOf(bounded, words),
    recipientDomain: recipientDomainOf(bounded),
    words: words.slice(0, MAX_WORDS),
    cause,
    meaning: cause?.meaning ?? general.meaning,
    reference: cause?.reference ?? general.reference,
  };
}

function causeOf({
  provider,
  enhancedCode,
  words,
}: {
  readonly provider: Provider | undefined;
  readonly enhancedCode: string | undefined;
  readonly words: string;
}): BounceCause | undefined {
  return BOUNCE_CAUSES.find(
    (cause) =>
      (cause.provider === undefined || cause.provider === provider) &&
      (cause.code === undefined || (enhancedCode !== undefined && cause.code.test(enhancedCode))) &&
      (cause.says === undefined || cause.says.test(words)),
  );
}

/** Where the refusal itself stands, the certain before the likely: how it begins, and all of it from there. */
const REFUSALS: readonly { readonly begins: RegExp; readonly whole: RegExp }[] = [
  {
    begins: /^Diagnostic-Code:/gim,
    whole: /Diagnostic-Code:[ \t]*(?:[A-Za-z-]{1,20};[ \t]*)?(.{0,8000}(?:\n .{0,8000}){0,40})/iy,
  },
  {
    begins: /\bsaid:/gi,
    whole: /said:\s*([\s\S]{1,4000}?)(?:\(in reply to|\)\s*$|$(?![\s\S])|\n\s*\n)/iy,
  },
  {
    begins: /SMTP error from remote mail server after /gi,
    whole:
      /SMTP error from remote mail server after [^:]{1,40}:?(?:<[^>\n]{0,300}>[^:\n]{0,80})?:\s*((?:host \S+ \[[^\]\n]*\]:\s*)?[^\n]*(?:\n[ \t]+[^\n]*){0,40})/iy,
  },
  {
    begins: /\bstatus=(?:bounced|deferred) \(/g,
    whole: /status=(?:bounced|deferred) \(([^\n]{0,4000})\)/y,
  },
];

/** From each beginning some thousand characters are read; nobody's bounce has more of them. */
const MAX_BEGINNINGS = 20;

function refusalIn(text: string, { begins, whole }: (typeof REFUSALS)[number]): string | undefined {
  for (const { index } of [...text.matchAll(begins)].slice(0, MAX_BEGINNINGS)) {
    whole.lastIndex = index;
    const found = whole.exec(text)?.[1]?.trim();
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The refusal on one line: a reply of several lines repeats its codes in front of each (RFC 5321 §4.2.1), and
 * a bounce folds it once more.
 */
function wordsOf(text: string): string {
  const refusal = REFUSALS.map((each) => refusalIn(text, each)).find(
    (found) => found !== undefined && found !== "",
  );
  let seen = 0;
  return (refusal ?? text)
    .slice(0, 20_000)
    .replace(/\s+/g, " ")
    .replace(/(?<![\w.])[45]\d\d[- ](?:[45]\.\d{1,3}\.\d{1,3}(?: |$))?/g, (code) => {
      seen++;
      return seen === 1 ? code.replace("-", " ") : /[-.]/.test(code) ? "" : code;
    })
    .trim();
}

function replyCodeOf(words: string): number | undefined {
  const found =
    /(?<![\w.])([45]\d\d) #?[45]\.\d{1,3}\.\d{1,3}(?!\d|\.\d)/.exec(words) ??
    /^([45]\d\d)[ ;,-]/.exec(words) ??
    /(?:smtp;|returned|end of data:|>:)\s*['"]?([45]\d\d)\b/i.exec(words);
  return found === null ? undefined : Number(found[1]);
}

/** No piece of an address. */
const ENHANCED = /(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d]|\.\d)/;

const enhancedCodeOf = (words: string) =>
  (/(?<![\w.])[45]\d\d #?([45]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)/.exec(words) ?? ENHANCED.exec(words))?.[1];

/** RFC 3464 §2.3.4 */
const statusField = (text: string) => /^Status:\s*([245]\.\d{1,3}\.\d{1,3})/im.exec(text)?.[1];

/** Postfix' own code, in its log. */
const dsnField = (text: string) => /\bdsn=([45]\.\d{1,3}\.\d{1,3})\b/.exec(text)?.[1];

function lastsOf(
  replyCode: number | undefined,
  enhancedCode: string | undefined,
  text: string,
): Bounce["lasts"] {
  if (/\bstatus=deferred\b|^Action:\s*delayed|\s==\s\S{1,255}@/im.test(text)) return "temporary";
  const digit = enhancedCode?.[0] ?? String(replyCode ?? "")[0];
  if (digit === "4") return "temporary";
  if (digit === "5" || /\bstatus=bounced\b|^Action:\s*failed|\s\*\*\s\S{1,255}@/im.test(text))
    return "permanent";
  return "unknown";
}

const HOSTS: readonly RegExp[] = [
  /\bhost (\S{1,255}?)\[[0-9a-fA-F.:]+\](?::\d+)? (?:said|refused)/,
  /\bhost (\S{1,255}) \[[0-9a-fA-F.:]+\]/,
  /^Remote-MTA:\s*dns;\s*(\S{1,255}?)(?:\s|$)/im,
  /\bH=(\S{1,255}) \[/,
  /\brelay=([^\s[,]{1,255})\[/,
  /\bconnect to ([^\s[]{1,255})\[/,
  /^Reporting-MTA:\s*dns;\s*(\S{1,255})/im,
];

function hostOf(text: string): DomainName | undefined {
  for (const pattern of HOSTS) {
    const name = domainIn(pattern.exec(text)?.[1]);
    if (name !== undefined) return name;
  }
  return undefined;
}

const PROVIDERS: readonly { readonly provider: Provider; readonly host: RegExp; readonly words: RegExp }[] = [
  {
    provider: "google",
    host: /(?:^|\.)(?:google|googlemail|gmail)\.com$/,
    words: /\bgsmtp\b|support\.google\.com/,
  },
  {
    provider: "yahoo",
    host: /(?:^|\.)(?:yahoodns\.net|yahoo\.com|aol\.com)$/,
    words: /(?:yahooinc|yahoo|verizonmedia)\.com\/|\[TSS?\d\d\]/,
  },
  {
    provider: "microsoft",
    host: /(?:^|\.)(?:outlook|hotmail|live|office365|microsoft)\.com$/,
    words:
      /\.protection\.outlook\.com|\.prod\.outlook\.com|S31[45]0|go\.microsoft\.com|mail\.live\.com|5\.7\.5(?:09|11|15)\b/,
  },
  {
    provider: "apple",
    host: /(?:^|\.)(?:icloud|apple|me)\.com$/,
    words: /support\.apple\.com|\[(?:CS|HM)\d\d\]/,
  },
];

function providerOf(host: DomainName | undefined, words: string): Provider | undefined {
  const byHost = PROVIDERS.find((row) => host !== undefined && row.host.test(host));
  return (byHost ?? PROVIDERS.find((row) => row.words.test(words)))?.provider;
}

/** In words that name an address it is the sender's; the host's own stands behind its name. */
function addressOf(words: string, text: string, host: DomainName | undefined): IpAddress | undefined {
  const own =
    host === undefined
      ? undefined
      : new RegExp(`${host.replaceAll(".", "\\.")} ?\\[([0-9a-f.:]+)\\]`, "i").exec(text)?.[1];
  const candidates = words.matchAll(
    /(?<![\w.:/])(\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{1,4}:[0-9a-f:]+[0-9a-f])(?![\w/]|\.\d)/gi,
  );
  for (const [, candidate] of candidates) {
    const parsed = parseAddress(candidate!.toLowerCase());
    if (parsed.ok && candidate !== own && !candidate!.startsWith("127.")) return parsed.value;
  }
  return undefined;
}

/** The certain before the likely; the first that is a domain. */
const SENDERS: readonly RegExp[] = [
  /\b(?:sending domain|Unauthenticated email from|domain of sender address|domain of|From: domain|from domain)\s+<?(?:[^\s@<>]{0,255}@)?([a-z0-9.-]{1,255}\.[a-z0-9-]{1,63})/i,
  /\brejected due to (\S{1,255}?)(?:'s)? DMARC policy/i,
  /\bSPF \[([a-z0-9.-]+)\]/i,
  /[?&;]id=[^@\s;&]{0,255}@([a-z0-9.-]{1,255})/i,
  /<[^\s@<>]{0,255}@([a-z0-9.-]{1,255})>: Sender address rejected/i,
  /^X-Postfix-Sender:\s*rfc822;\s*\S{1,255}@(\S{1,255})/im,
  /\bMAIL FROM:<[^\s@<>]{0,255}@([^\s<>]{1,255})>/i,
  /\bfrom=<[^\s@<>]{0,255}@([^\s<>]{1,255})>/i,
  /\bF=<[^\s@<>]{0,255}@([^\s<>]{1,255})>/,
  /^Return-Path:\s*<?[^\s@<>]{0,255}@([^\s<>]{1,255})>?/im,
  /^From:.{0,1000}@([a-z0-9.-]{1,255}\.[a-z0-9-]{1,63})/im,
];

function senderDomainOf(text: string, words: string): DomainName | undefined {
  for (const pattern of SENDERS) {
    const name = domainIn(pattern.exec(words)?.[1]) ?? domainIn(pattern.exec(text)?.[1]);
    if (name !== undefined && !/^(?:mailer-daemon|postmaster)\b/.test(name)) return name;
  }
  return undefined;
}

const RECIPIENTS: readonly RegExp[] = [
  /^Final-Recipient:\s*rfc822;\s*<?\S{1,255}@([^\s>]{1,255})/im,
  /^Original-Recipient:\s*rfc822;\s*<?\S{1,255}@([^\s>]{1,255})/im,
  /\bto=<[^\s@<>]{0,255}@([^\s<>]{1,255})>/i,
  /\s(?:\*\*|==)\s(?:[^\s@<>]{1,255})@([^\s<>:]{1,255})/,
  /\bRCPT TO:<[^\s@<>]{0,255}@([^\s<>]{1,255})>/i,
  /^<[^\s@<>]{1,255}@([^\s<>]{1,255})>: /m,
];

function recipientDomainOf(text: string): DomainName | undefined {
  for (const pattern of RECIPIENTS) {
    const name = domainIn(pattern.exec(text)?.[1]);
    if (name !== undefined) return name;
  }
  return undefined;
}

function domainIn(text: string | undefined): DomainName | undefined {
  const name = text === undefined ? undefined : parseDomainName(text.replace(/[.,;:'"\])]+$/, ""));
  return name?.ok && isHostName(name.value) ? name.value : undefined;
}

/** RFC 3463 §3: subject and detail, as far as they say something for themselves. */
const SUBJECTS: Readonly<Record<string, string>> = {
  "1": "the address of the sender or recipient",
  "2": "the recipient's mailbox",
  "3": "the receiving system",
  "4": "the network or the way to the receiver",
  "5": "the conversation between the servers",
  "6": "the content of the mail",
  "7": "a rule of the receiver: security or policy",
};

function generalMeaning(
  replyCode: number | undefined,
  enhancedCode: string | undefined,
): { readonly meaning: string; readonly reference: string } {
  const [kind, subject] = enhancedCode?.split(".") ?? [];
  const about = subject === undefined ? undefined : SUBJECTS[subject];
  if (about !== undefined) {
    const lasts = kind === "4" ? "for now" : "for good";
    return {
      meaning: `The mail was refused ${lasts}, because of ${about}. The code says no more, and these words are not known here.`,
      reference: "RFC 3463 §3",
    };
  }
  if (replyCode !== undefined) {
    const lasts = replyCode < 500 ? "for now; the server tries again" : "for good";
    return {
      meaning: `The mail was refused ${lasts}. The code does not say why, and these words are not known here.`,
      reference: "RFC 5321 §4.2.1",
    };
  }
  return { meaning: "The mail was not delivered, and nothing here says why.", reference: "RFC 3463 §3.1" };
}

/** The domain to look at: the sender's for what receivers demand, the recipient's for what senders run into. */
export function domainToCheck({ cause, senderDomain, recipientDomain }: Bounce): DomainName | undefined {
  return cause?.about === "recipient" ? recipientDomain : senderDomain;
}

/** The findings of a report that bear the cause out, the likeliest first; what could not be told last. */
export function findingsFor({ checks }: BounceCause, { findings }: DomainReport): readonly Finding[] {
  const isNamed = ({ code }: Finding) => checks.includes(code);
  const bad = findings.filter(
    (finding) =>
      finding.severity === "error" ||
      finding.severity === "warning" ||
      (finding.severity === "notice" && isNamed(finding)),
  );
  const unknown = findings.filter(({ severity }) => severity === "unknown");
  const isOf = (check: FindingCode | Group, finding: Finding) =>
    finding.code === check || concernOf(finding) === check;
  const inOrder = (list: readonly Finding[]) =>
    checks.flatMap((check) => list.filter((finding) => isOf(check, finding)));
  return [...new Set([...inOrder(bad), ...inOrder(unknown)])];
}

/** What shows more of the address that the refusal names: a check knows only the domain's own mail servers. */
export function commandsFor({ cause, address }: Bounce, domain: DomainName | undefined): readonly string[] {
  if (cause === undefined || address === undefined || cause.about === "recipient") return [];
  const groups = new Set(
    cause.checks.map((check) => (isFindingCode(check) ? CATALOGUE[check].group : check)),
  );
  return [
    ...(groups.has("reverse") ? [`dig -x ${address.text}`] : []),
    ...(groups.has("spf") && domain !== undefined
      ? [`zonepost spf test ${shellWord(domain)} --ip ${address.text}`]
      : []),
  ];
}
