/** What a large receiver sees of a mail that a server of ours sent: each mechanism's word, the reason, and what to do. */
import {
  contains,
  type IpAddress,
  type IpNetwork,
  type SpecialPurpose,
  specialPurpose,
} from "../standards/dns/address.ts";
import { type DomainName, isHostName, parseDomainName } from "../standards/dns/name.ts";
import type { Resolver } from "../standards/dns/resolver.ts";
import type { MailAuthentication, MailOrigin } from "./authentication.ts";
import type { OutgoingMail, ReceivedMail } from "./mail-exchange.ts";
import { bodyLine, headerLine, receivedLine } from "./proof-content.ts";
import type { ProofLine } from "./proof-line.ts";

/** Authentication of one message, as a receiver does it. */
export type AuthenticateMessage = (
  origin: MailOrigin,
  message: Uint8Array,
  resolver: Resolver,
  now: Date,
) => Promise<MailAuthentication>;

/** The addresses that a receiver on the internet would see the mail come from. */
export type JudgedClients =
  | { readonly status: "known"; readonly addresses: readonly IpAddress[]; readonly why: string }
  | { readonly status: "unknown"; readonly why: string; readonly advice: string };

/** A server of the description, as far as it matters here. */
export interface SendingServer {
  readonly host: DomainName;
  readonly helo?: DomainName | undefined;
  readonly addresses: readonly IpAddress[];
  readonly outbound?: readonly IpAddress[] | undefined;
}

/** More addresses than one server sends from; each costs a whole round of lookups. */
const MAX_JUDGED = 8;

export function judgedClients(
  seen: { readonly address: IpAddress; readonly helo: string },
  known: {
    /** As the user gave them. */
    readonly given: readonly IpAddress[];
    /** Those that send for the domain. */
    readonly described: { readonly source: string; readonly servers: readonly SendingServer[] } | undefined;
    /** Networks that count as public, for laboratories. */
    readonly assumePublic: readonly IpNetwork[];
  },
): JudgedClients {
  const { given, described, assumePublic } = known;
  if (given.length > 0) {
    return { status: "known", addresses: given.slice(0, MAX_JUDGED), why: "as you said" };
  }
  const special = notPublic(seen.address, assumePublic);
  if (special === undefined) {
    return { status: "known", addresses: [seen.address], why: "the message came from there" };
  }
  const cause = `the message came over ${seen.address.text}, which is ${special.description}`;
  const advice =
    "Say with --ip which address your server sends from, or let the sink listen on another host.";
  if (described === undefined) return { status: "unknown", why: cause, advice };
  const { source, servers } = described;
  const helo = seen.helo.toLowerCase().replace(/\.$/, "");
  const named = servers.filter((server) => (server.helo ?? server.host) === helo);
  const [server, ...more] = named.length > 0 ? named : servers;
  if (server === undefined || more.length > 0) {
    const count = server === undefined ? "no server" : `${more.length + 1} servers`;
    const why = `${cause}; ${source} has ${count} that this may be, and none that calls itself ${seen.helo}`;
    return { status: "unknown", why, advice };
  }
  const own = (server.outbound ?? server.addresses).filter(
    (address) => notPublic(address, assumePublic) === undefined,
  );
  if (own.length === 0) {
    const why = `${cause}; ${source} has no public address for ${server.host}`;
    return { status: "unknown", why, advice };
  }
  const noun = own.length === 1 ? "the address" : "the addresses";
  const why = `${noun} of ${server.host} in ${source}, because ${cause}`;
  return { status: "known", addresses: own.slice(0, MAX_JUDGED), why };
}

function notPublic(address: IpAddress, assumePublic: readonly IpNetwork[]): SpecialPurpose | undefined {
  return assumePublic.some((network) => contains(network, address)) ? undefined : specialPurpose(address);
}

export interface ProofQuestion {
  /** The domain that stands in From. */
  readonly domain: DomainName;
  readonly sent: OutgoingMail;
  readonly mail: ReceivedMail;
  readonly sinkOffersTls: boolean;
  readonly clients: JudgedClients;
  readonly assumePublic: readonly IpNetwork[];
}

export interface ProofMeans {
  readonly authenticate: AuthenticateMessage;
  readonly resolver: Resolver;
  readonly now: Date;
}

export async function proveMail(question: ProofQuestion, means: ProofMeans): Promise<readonly ProofLine[]> {
  const { domain, mail, clients, sent } = question;
  const { helo } = mail.client;
  const isKnown = clients.status === "known";
  // DKIM and ARC do not depend on the client; what does is not taken from an address that nobody will see.
  const addresses = isKnown ? clients.addresses : [mail.client.address];
  const authentications = await Promise.all(
    addresses.map((clientIp) =>
      means.authenticate({ clientIp, helo, mailFrom: mail.mailFrom }, mail.octets, means.resolver, means.now),
    ),
  );
  const judged = addresses.map((address, at) => ({ address, authentication: authentications[at]! }));
  const [first] = judged;
  if (first === undefined) throw new TypeError("no address to judge for");
  const untold = (subject: "ptr" | "spf"): ProofLine => ({
    subject,
    severity: "unknown",
    result: COULD_NOT_TELL,
    reason: isKnown ? "" : sentence(clients.why),
    advice: isKnown ? null : clients.advice,
    reference: subject === "ptr" ? "RFC 8601 §3" : "RFC 7208 §2.4",
  });
  return [
    ...(isKnown
      ? judged.map(({ address, authentication }) => ptrLine(address, authentication))
      : [untold("ptr")]),
    await heloLine(helo, isKnown ? clients.addresses : [], means.resolver),
    ...(isKnown
      ? judged.map(({ address, authentication }) => spfLine(address, authentication, domain))
      : [untold("spf")]),
    ...dkimLines(first.authentication, domain),
    ...(isKnown
      ? distinct(judged.map(({ address, authentication }) => dmarcLine(authentication, domain, address)))
      : [dmarcLineWithoutSpf(first.authentication, domain)]),
    tlsLine(mail, question.sinkOffersTls),
    arcLine(first.authentication),
    envelopeLine(sent, mail),
    receivedLine(mail, {
      assumePublic: question.assumePublic,
      own: isKnown ? clients.addresses : [],
    }),
    headerLine(sent, mail),
    bodyLine(sent, mail),
  ];
}

export const COULD_NOT_TELL = "could not tell";

/** The same word for several addresses is said once. */
function distinct(lines: readonly ProofLine[]): readonly ProofLine[] {
  const seen = new Map(lines.map((line) => [`${line.result} ${line.reason}`, line]));
  return [...seen.values()];
}

/** Names stay as they are written. */
function sentence(text: string): string {
  const beginsWithName = /^\S*[._]\S/.test(text);
  const begun = beginsWithName ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return `${begun}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** RFC 8601 §3 */
function ptrLine({ text }: IpAddress, { iprev }: MailAuthentication): ProofLine {
  const line = { subject: "ptr", result: iprev.result, reference: "RFC 8601 §3" } as const;
  switch (iprev.result) {
    case "pass":
      return {
        ...line,
        severity: "ok",
        reason: `${text} is ${iprev.names.slice(0, 3).join(", ")}, and that name leads back to it.`,
        advice: null,
      };
    case "temperror":
      return {
        ...line,
        severity: "unknown",
        reason: sentence(iprev.problem ?? `the name of ${text} could not be looked up`),
        advice: "Ask again later.",
      };
    case "fail":
    case "permerror":
      return {
        ...line,
        severity: "error",
        reason: sentence(iprev.problem ?? `${text} has no name that leads back to it`),
        advice: `Let the owner of ${text} (the host's provider) set its PTR to the mail server's name, and give that name the address: zonepost records prints the request.`,
      };
    default:
      return iprev.result satisfies never;
  }
}

/** RFC 5321 §4.1.1.1, §4.1.4 */
async function heloLine(
  helo: string,
  addresses: readonly IpAddress[],
  resolver: Resolver,
): Promise<ProofLine> {
  const line = { subject: "helo", result: helo, reference: "RFC 5321 §4.1.4" } as const;
  const setIt = "In Postfix: smtp_helo_name, which is myhostname where nothing else is said.";
  if (/^\[.*\]$/.test(helo)) {
    return {
      ...line,
      severity: "warning",
      reason: "The server calls itself by an address. That is allowed, and many receivers take it for spam.",
      advice: `Let it say its name. ${setIt}`,
    };
  }
  const name = parseDomainName(helo);
  if (!name.ok || !isHostName(name.value)) {
    return {
      ...line,
      severity: "error",
      reason: `"${helo}" is not a full host name; many receivers refuse that at once.`,
      advice: `Let the server say its full name, as in mail.example.org. ${setIt}`,
    };
  }
  const families = addresses.length === 0 ? [4, 6] : [...new Set(addresses.map(({ family }) => family))];
  const answers = await Promise.all(
    families.map((family) => resolver.lookup(name.value, family === 4 ? "A" : "AAAA")),
  );
  const unknown = answers.find((answer) => answer.status === "unknown");
  const found = answers.flatMap((answer) =>
    answer.status === "found" ? answer.records.map(({ data }) => data.address) : [],
  );
  const missing = addresses.filter(({ text }) => !found.includes(text));
  if (missing.length === 0 && found.length > 0) {
    const leads =
      addresses.length === 0 ? "has an address" : `leads to ${addresses.map(({ text }) => text).join(", ")}`;
    return { ...line, severity: "ok", reason: `It is a full host name, and ${leads}.`, advice: null };
  }
  if (unknown?.status === "unknown") {
    return {
      ...line,
      severity: "unknown",
      reason: sentence(`whether it leads back to the client could not be looked up: ${unknown.detail}`),
      advice: "Ask again later.",
    };
  }
  const where = found.length === 0 ? "has no address" : `leads to ${found.slice(0, 4).join(", ")}`;
  const not = missing.length === 0 ? "" : `, and not to ${missing.map(({ text }) => text).join(", ")}`;
  return {
    ...line,
    severity: "warning",
    reason: `It is a full host name, and ${where}${found.length === 0 ? "" : not}.`,
    advice: `Give ${name.value} the addresses that the server sends from, or let the server say the name that has them. ${setIt}`,
  };
}

/** RFC 7208 §8 */
function spfLine({ text }: IpAddress, { spf }: MailAuthentication, domain: DomainName): ProofLine {
  const of = spf.domain ?? domain;
  const line = { subject: "spf", result: spf.result, reference: "RFC 7208 §2.6" } as const;
  const last = spf.trail.at(-1);
  const because = last === undefined ? "" : ` by the term ${last.term.text} of ${last.domain}`;
  const problem = spf.problem === undefined ? "" : ` ${sentence(spf.problem)}`;
  const look = `zonepost spf test ${of} --ip ${text} shows the way to the decision`;
  switch (spf.result) {
    case "pass":
      return { ...line, severity: "ok", reason: `${text} may send for ${of}${because}.`, advice: null };
    case "none":
      return {
        ...line,
        severity: "error",
        reason: `${of} says nothing of who may send for it.${problem}`,
        advice: `Publish SPF for ${of}: zonepost records derives it.`,
      };
    case "fail":
    case "softfail":
    case "neutral":
      return {
        ...line,
        severity: spf.result === "fail" ? "error" : "warning",
        reason: `${text} is not among those who may send for ${of}${because}.`,
        advice: `Add ${text} to the SPF record of ${of}, or send from an address that is in it; ${look}.`,
      };
    case "permerror":
      return {
        ...line,
        severity: "error",
        reason: `The SPF record of ${of} cannot be used.${problem}`,
        advice: `Correct it; zonepost spf tree ${of} shows where it goes wrong.`,
      };
    case "temperror":
      return {
        ...line,
        severity: "unknown",
        reason: `SPF of ${of} could not be looked up.${problem}`,
        advice: "Ask again later.",
      };
    default:
      return spf.result satisfies never;
  }
}

type Signature = MailAuthentication["dkim"][number];

/** RFC 6376 §3.9, RFC 8601 §2.7.1 */
function dkimLines({ dkim, dmarc }: MailAuthentication, domain: DomainName): readonly ProofLine[] {
  const reference = "RFC 8601 §2.7.1";
  if (dkim.length === 0) {
    return [
      {
        subject: "dkim",
        severity: "error",
        result: "none",
        reason: "Nobody signed the message.",
        advice:
          "Let your server sign: the signer belongs into Postfix' smtpd_milters, and into non_smtpd_milters for what sendmail hands in; zonepost keys makes the key.",
        reference,
      },
    ];
  }
  const alignedDomains =
    dmarc.status === "evaluated"
      ? dmarc.outcome.identifiers.flatMap(({ mechanism, domain: of, alignment }) =>
          mechanism === "dkim" && alignment.status === "aligned" ? [of] : [],
        )
      : [];
  const isAligned = ({ signature }: Signature) =>
    signature !== undefined &&
    (signature.signingDomain === domain || alignedDomains.includes(signature.signingDomain));
  const passes = dkim.filter(({ result }) => result === "pass");
  const isProven = passes.some(isAligned);
  return dkim.map((verification): ProofLine => {
    const { result, signature, problem } = verification;
    const by =
      signature === undefined
        ? "unreadable"
        : `${signature.keyType}-${signature.hash}, selector ${signature.dkimSelector} of ${signature.signingDomain}`;
    const line = { subject: "dkim", result, reference } as const;
    if (result === "pass") {
      if (isAligned(verification)) {
        return {
          ...line,
          severity: "ok",
          reason: `Signed (${by}), and nothing was changed since.`,
          advice: null,
        };
      }
      return {
        ...line,
        severity: isProven ? "ok" : "warning",
        reason: `Signed (${by}), which does not stand for ${domain}.`,
        advice: isProven ? null : `Let your server sign with d=${domain}.`,
      };
    }
    const why = sentence(
      `the signature (${by}) ${problem === undefined ? "does not hold" : `does not hold: ${problem}`}`,
    );
    if (result === "temperror") {
      return { ...line, severity: "unknown", reason: why, advice: "Ask again later." };
    }
    return {
      ...line,
      severity: isProven ? "notice" : "error",
      reason: why,
      advice: `See whether the key in DNS is the signer's (zonepost keys test, or zonepost check --signer), and whether something behind the signer changes the mail.`,
    };
  });
}

function dmarcLine(authentication: MailAuthentication, domain: DomainName, address: IpAddress): ProofLine {
  const { dmarc } = authentication;
  const reference = "RFC 9989 §5.3";
  if (dmarc.status === "no-author-domain") {
    return {
      subject: "dmarc",
      severity: "error",
      result: "none",
      reason: sentence(dmarc.problem),
      advice: "The message needs one From with one address; see what rewrites it on the way.",
      reference,
    };
  }
  const { outcome, authorDomain } = dmarc;
  const line = { subject: "dmarc", result: outcome.result, reference } as const;
  const aligned = outcome.identifiers.filter(
    ({ result, alignment }) => result === "pass" && alignment.status === "aligned",
  );
  switch (outcome.result) {
    case "pass":
      return {
        ...line,
        severity: "ok",
        reason: `${list(aligned.map(({ mechanism, domain: of }) => `${WORD[mechanism]} (${of})`))} ${aligned.length === 1 ? "stands" : "stand"} for ${authorDomain} in From.`,
        advice: aligned.length === 1 ? onlyOne(aligned[0]!.mechanism) : null,
      };
    case "fail":
      return {
        ...line,
        severity: "error",
        reason: `Neither SPF nor DKIM stands for ${authorDomain} in From, for mail from ${address.text}${outcome.disposition === "none" ? "" : `; the domain asks to ${outcome.disposition} such mail`}.`,
        advice: `Let DKIM sign with d=${domain}, or let the envelope sender be in ${domain} and its SPF hold the address.`,
      };
    case "none":
      return {
        ...line,
        severity: "warning",
        reason: sentence(outcome.problem ?? `${authorDomain} publishes no DMARC policy`),
        advice: `Publish one, p=none to begin with: zonepost records derives it. Google and Yahoo ask it of whoever sends much.`,
      };
    case "temperror":
      return {
        ...line,
        severity: "unknown",
        reason: sentence(outcome.problem ?? "DNS did not answer"),
        advice: "Ask again later.",
      };
    case "permerror":
      return {
        ...line,
        severity: "error",
        reason: sentence(outcome.problem ?? "the DMARC record cannot be used"),
        advice: `zonepost check ${domain} shows what is wrong with the record.`,
      };
    default:
      return outcome.result satisfies never;
  }
}

/** Where SPF cannot be told, DKIM alone can make it a pass, and nothing can make it a fail. */
function dmarcLineWithoutSpf(authentication: MailAuthentication, domain: DomainName): ProofLine {
  const { dmarc } = authentication;
  const line = dmarcLine(authentication, domain, {
    family: 4,
    octets: new Uint8Array(4),
    text: "an unknown address",
  });
  if (dmarc.status !== "evaluated") return line;
  const byDkim = dmarc.outcome.identifiers.find(
    ({ mechanism, result, alignment }) =>
      mechanism === "dkim" && result === "pass" && alignment.status === "aligned",
  );
  switch (dmarc.outcome.result) {
    case "pass":
    case "fail":
      if (byDkim !== undefined) {
        const reason = `DKIM (${byDkim.domain}) stands for ${dmarc.authorDomain} in From, whatever SPF says.`;
        return { ...line, severity: "ok", result: "pass", reason, advice: null };
      }
      return {
        ...line,
        severity: "unknown",
        result: COULD_NOT_TELL,
        reason: "DKIM does not stand for the domain in From, and SPF could not be told.",
        advice: `Let DKIM sign with d=${domain}; for SPF, say with --ip which address your server sends from.`,
      };
    default:
      return line;
  }
}

const WORD = { spf: "SPF", dkim: "DKIM" } as const;

function onlyOne(mechanism: "spf" | "dkim"): string {
  return mechanism === "spf"
    ? "Only SPF does: forwarded mail will fail. Let DKIM stand for the domain too."
    : "Only DKIM does. Google and Yahoo ask SPF of every sender too; see the line about SPF.";
}

function list(texts: readonly string[]): string {
  return texts.join(" and ");
}

/** Versions before 1.2 are no longer in use among large receivers. */
function tlsLine({ client }: ReceivedMail, isOffered: boolean): ProofLine {
  const line = { subject: "tls", reference: "RFC 3207 §4" } as const;
  if (client.tls !== undefined) {
    const { version, cipher } = client.tls;
    const isOld = !/^TLSv1\.[23]$/.test(version);
    return {
      ...line,
      severity: isOld ? "warning" : "ok",
      result: version,
      reason: isOld
        ? `The message came through ${version} (${cipher}), which receivers no longer trust.`
        : `The message came encrypted (${cipher}).`,
      advice: isOld ? "Let Postfix speak newer ones: smtp_tls_protocols = >=TLSv1.2" : null,
    };
  }
  if (!isOffered) {
    return {
      ...line,
      severity: "unknown",
      result: COULD_NOT_TELL,
      reason: "TLS was not offered to your server here.",
      advice: null,
    };
  }
  return {
    ...line,
    severity: "error",
    result: "none",
    reason:
      "TLS was offered, and your server sent the message in the clear. Google asks TLS of every sender.",
    advice: "In Postfix: smtp_tls_security_level = may (or dane), and no other level for this route.",
  };
}

/** RFC 8617 */
function arcLine({ arc }: MailAuthentication): ProofLine {
  const line = { subject: "arc", result: arc.result, reference: "RFC 8617 §4.4" } as const;
  switch (arc.result) {
    case "none":
      return {
        ...line,
        severity: "ok",
        reason: "No ARC, as it should be: a message that comes straight from its sender needs none.",
        advice: null,
      };
    case "pass":
      return {
        ...line,
        severity: "ok",
        reason: "The ARC chain holds. Only who forwards mail needs one.",
        advice: null,
      };
    case "fail":
      return {
        ...line,
        severity: arc.isTemporary ? "unknown" : "warning",
        reason: sentence(arc.problem ?? "the ARC chain does not hold"),
        advice:
          "Let nothing on your server seal mail of its own with ARC, or correct the sealer's key in DNS.",
      };
    default:
      return arc.result satisfies never;
  }
}

function envelopeLine(sent: OutgoingMail, { mailFrom }: ReceivedMail): ProofLine {
  const line = { subject: "envelope", reference: "RFC 5321 §4.1.1.2" } as const;
  if (mailFrom === sent.mailFrom) {
    const reason = "The envelope sender arrived as it was given.";
    return { ...line, severity: "ok", result: `<${mailFrom}>`, reason, advice: null };
  }
  return {
    ...line,
    severity: mailFrom === "" ? "error" : "warning",
    result: `<${mailFrom}>`,
    reason: `The envelope sender was <${sent.mailFrom}>, and arrived as <${mailFrom}>: SPF is judged for that one.`,
    advice:
      "See what rewrites it: in Postfix sender_canonical_maps, smtp_generic_maps, masquerade_domains, or an SRS daemon.",
  };
}
