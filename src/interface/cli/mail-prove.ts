/** `zonepost mail prove`: a mail goes out through the user's own server and comes back, and is judged on arrival. */
import { summarize } from "../../check/finding.ts";
import { authenticateMessage } from "../../milter/authenticate-message.ts";
import type {
  MailSubmission,
  OutgoingMail,
  ReceivedMail,
  SinkVisit,
  SubmissionServer,
} from "../../milter/mail-exchange.ts";
import {
  type AuthenticateMessage,
  COULD_NOT_TELL,
  type JudgedClients,
  judgedClients,
  proveMail,
  type SendingServer,
} from "../../milter/proof.ts";
import type { ProofLine } from "../../milter/proof-line.ts";
import { proofMessage } from "../../milter/proof-message.ts";
import { Secret } from "../../publish/secret.ts";
import { type IpAddress, parseAddress } from "../../standards/dns/address.ts";
import { type DomainName, parseDomainName } from "../../standards/dns/name.ts";
import {
  loadDescription,
  readDomain,
  readFileNamed,
  readInteger,
  readListenAddress,
  readNetworks,
} from "./argument.ts";
import { type ExitCode, exitCodeOf, UsageError } from "./exit-code.ts";
import { visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { receiversResolver, type ViewOptions, viewSettings } from "./view-options.ts";

export interface MailProveOptions extends ViewOptions {
  readonly submission?: string;
  /** True where the option has no value. */
  readonly sendmail?: string | true;
  readonly tls?: "starttls" | "implicit";
  readonly user?: string;
  readonly passwordFile?: string;
  readonly insecureSubmission?: boolean;
  readonly trust: readonly string[];
  readonly from?: string;
  readonly listen: string;
  readonly recipient?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly ip: readonly string[];
  readonly config?: string;
  readonly save?: string;
  /** In seconds. */
  readonly timeout: number;
  readonly assumePublic: readonly string[];
  readonly json?: boolean;
}

const SUBMISSION_PORT = 587;
const SUBMISSIONS_PORT = 465;
const SENDMAIL = "/usr/sbin/sendmail";
const PASSWORD_VARIABLE = "ZONEPOST_SUBMISSION_PASSWORD";
const DEFAULT_CONFIG = "zonepost.yaml";
/** A name that is never in DNS: nobody else's mail can be meant. */
const SINK_DOMAIN = "prove.invalid";
const LOOK_MILLISECONDS = 200;
const MAX_VISITS = 50;

/** For Postfix: the way to the receiving end, in front of what is there already. It may stay. */
function routeCommands(listening: string, port: number): readonly string[] {
  const address = { "0.0.0.0": "127.0.0.1", "::": "::1" }[listening] ?? listening;
  return [
    `postconf -e "transport_maps = inline:{${SINK_DOMAIN}=smtp:[${address}]:${port}}, $(postconf -h transport_maps)"`,
    "postfix reload",
  ];
}

export const SINK_HELP = `
On the mail server itself, where port 25 is taken, Postfix has to know the way to the receiving end, once:
${routeCommands("127.0.0.1", 2525)
  .map((line) => `  ${line}`)
  .join("\n")}
On another host, with port 25 open to your server, nothing has to be set: --listen 192.0.2.7:25`;

export async function runMailProve(
  domainText: string,
  options: MailProveOptions,
  tools: Tools,
  authenticate: AuthenticateMessage = authenticateMessage,
): Promise<ExitCode> {
  const { terminal } = tools;
  const domain = readDomain(domainText);
  const configPath = options.config ?? (tools.fileExists(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined);
  const servers = configPath === undefined ? undefined : describedServers(configPath, domain, tools);
  const listen = readListenAddress(options.listen, "--listen");
  const given = options.ip.map(readIp);
  const assumePublic = readNetworks("--assume-public", options.assumePublic);
  const certificate = readCertificate(options, tools);
  const recipientDomain = readRecipientDomain(options, listen);
  const from = readSender(options.from, domain);
  const via = await readSubmission(options, servers, tools);
  const token = Buffer.from(tools.randomOctets(16)).toString("hex");
  const rcptTo = `prove-${token}@${recipientDomain}`;
  const message = proofMessage({ from, to: rcptTo, now: tools.now(), token, idDomain: domain });
  const sent: OutgoingMail = { mailFrom: from, rcptTo, message };

  const mails: ReceivedMail[] = [];
  const visits: SinkVisit[] = [];
  const sink = await tools
    .startMailSink({
      ...listen,
      recipient: rcptTo,
      ...(certificate && { certificate }),
      onMail: (mail) => mails.push(mail),
      onVisit: (visit) => {
        if (visits.length < MAX_VISITS) visits.push(visit);
      },
    })
    .catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`cannot listen on ${options.listen}: ${listenProblem(error)}`);
    });
  try {
    const submission = await tools.openSubmission(via)(sent);
    if (submission.status === "accepted" && terminal.isInteractive) {
      terminal.err(`Handed in; waiting up to ${options.timeout} s for it to arrive …\n`);
    }
    const looks = Math.ceil((options.timeout * 1000) / LOOK_MILLISECONDS);
    for (let look = 0; submission.status === "accepted" && mails.length === 0 && look < looks; look++) {
      await tools.sleep(LOOK_MILLISECONDS);
    }
    const [mail] = mails;
    const route = routeCommands(listen.address, sink.port);
    const isOnRoute = recipientDomain === SINK_DOMAIN;
    const first = [submissionLine(submission, via, isOnRoute ? route : [])];
    if (mail === undefined) {
      const absence =
        submission.status === "accepted" ? [absenceLine(visits, recipientDomain, options, route)] : [];
      const lines = [...first, ...absence];
      return report({ domain, sent, submission, mail, clients: undefined, lines }, options, tools);
    }
    if (options.save !== undefined) save(options.save, mail, tools);
    const described = servers && { source: configPath!, servers };
    const clients = judgedClients(
      { address: mail.client.address, helo: mail.client.helo },
      { given, described, assumePublic },
    );
    const opened = await tools.openWorld(viewSettings(options, tools));
    try {
      const { world } = opened;
      const proven = await proveMail(
        { domain, sent, mail, clients, assumePublic, sinkOffersTls: true },
        { authenticate, resolver: receiversResolver(world), now: tools.now() },
      );
      const lines = [...first, arrivalLine(mail), ...proven];
      return report({ domain, sent, submission, mail, clients, lines }, options, tools);
    } finally {
      await opened.close();
    }
  } finally {
    await sink.close();
  }
}

/** Those that send for the domain. */
function describedServers(path: string, domain: DomainName, tools: Tools) {
  const { servers, domains } = loadDescription(path, tools);
  const senders = domains.find((each) => each.domain === domain)?.spf.servers;
  return servers.filter(({ host }) => senders === undefined || senders.includes(host));
}

function readIp(text: string): IpAddress {
  const address = parseAddress(text);
  if (!address.ok) throw new UsageError(`--ip: ${address.problem}`);
  return address.value;
}

function readCertificate({ cert, key }: MailProveOptions, tools: Tools) {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new UsageError("--cert and --key belong together");
  return { chain: readFileNamed(cert, tools), key: readFileNamed(key, tools) };
}

/** RFC 5321 §4.1.3 for addresses in place of a domain. */
function readRecipientDomain(
  { recipient }: MailProveOptions,
  { address, port }: { readonly address: string; readonly port: number },
): string {
  const literal = (text: string) => (text.includes(":") ? `[IPv6:${text}]` : `[${text}]`);
  if (recipient === undefined) {
    const isReachable = port === 25 && address !== "0.0.0.0" && address !== "::";
    return isReachable ? literal(address) : SINK_DOMAIN;
  }
  const bracketed = /^\[(?:IPv6:)?([^\]]*)\]$/i.exec(recipient)?.[1];
  if (bracketed === undefined) return readDomain(recipient);
  const parsed = parseAddress(bracketed);
  if (!parsed.ok) throw new UsageError(`--recipient: ${parsed.problem}`);
  return literal(parsed.value.text);
}

function readSender(from: string | undefined, domain: DomainName): string {
  const address = from ?? `postmaster@${domain}`;
  const [, local, host = ""] = /^([^\s@<>"(),:;[\]\\\p{Cc}]{1,64})@([^\s@]+)$/u.exec(address) ?? [];
  const name = parseDomainName(host);
  if (local === undefined || /[^\0-\x7f]/.test(local) || !name.ok) {
    throw new UsageError(`--from takes an address, as in postmaster@${domain}, not "${address}"`);
  }
  return `${local}@${name.value}`;
}

type Via = SubmissionServer | { readonly program: string; readonly host?: undefined };

async function readSubmission(
  options: MailProveOptions,
  servers: readonly (SendingServer & { readonly services: readonly string[] })[] | undefined,
  tools: Tools,
): Promise<Via> {
  if (options.sendmail !== undefined) {
    return { program: options.sendmail === true ? SENDMAIL : options.sendmail };
  }
  const { host, port } = submissionEndpoint(options, servers);
  const authorities = options.trust.map((path) => readFileNamed(path, tools));
  const login =
    options.user === undefined
      ? undefined
      : { user: options.user, password: await readPassword(options, tools) };
  return {
    host,
    port,
    tls: options.tls ?? (port === SUBMISSIONS_PORT ? "implicit" : "starttls"),
    authorities,
    isTrustedBlindly: options.insecureSubmission ?? false,
    ...(login && { login }),
  };
}

function submissionEndpoint(
  { submission }: MailProveOptions,
  servers: readonly (SendingServer & { readonly services: readonly string[] })[] | undefined,
): { host: string; port: number } {
  if (submission !== undefined) {
    const [, bracketed, plain = "", port] =
      /^(?:\[([^\]]+)\]|([^:\s[\]]+))(?::(\d+))?$/.exec(submission) ?? [];
    const host = bracketed ?? plain;
    const isHost =
      parseAddress(host).ok || (bracketed === undefined && parseDomainName(host).ok && host !== "");
    if (!isHost) {
      throw new UsageError(
        `--submission takes a server, as in mail.example.org:587 or [2001:db8::25]:587, not "${submission}"`,
      );
    }
    return {
      host,
      port: port === undefined ? SUBMISSION_PORT : readInteger(port, "--submission", 1, 65_535),
    };
  }
  for (const { host, services } of servers ?? []) {
    if (services.includes("submissions")) return { host, port: SUBMISSIONS_PORT };
    if (services.includes("submission")) return { host, port: SUBMISSION_PORT };
  }
  throw new UsageError(
    "say how the mail is handed in: --submission mail.example.org:587 with --user, or --sendmail on the mail server itself",
  );
}

async function readPassword({ passwordFile, user }: MailProveOptions, tools: Tools): Promise<Secret> {
  if (passwordFile !== undefined) {
    const [first = ""] = readFileNamed(passwordFile, tools).split(/\r?\n/, 1);
    if (first === "")
      throw new UsageError(`the first line of ${passwordFile} is empty; the password belongs there`);
    return new Secret(first);
  }
  const text = tools.environment[PASSWORD_VARIABLE];
  if (text) return new Secret(text);
  if (tools.askSecret === undefined) {
    throw new UsageError(
      `nobody is here to type the password of ${user}: give --password-file, or set ${PASSWORD_VARIABLE}`,
    );
  }
  return new Secret(await tools.askSecret(`Password of ${user}: `));
}

function listenProblem({ code, message }: NodeJS.ErrnoException): string {
  if (code === "EADDRINUSE") return "another program listens there already";
  if (code === "EACCES") return "ports below 1024 are for root, or for a program with CAP_NET_BIND_SERVICE";
  return code === "EADDRNOTAVAIL" ? "this machine does not have the address" : message;
}

function save(path: string, { octets }: ReceivedMail, tools: Tools): void {
  try {
    tools.writeFile(path, octets, { overwrite: false });
  } catch (error) {
    tools.terminal.err(`zonepost: cannot write ${path}: ${(error as Error).message}\n`);
  }
}

function submissionLine(submission: MailSubmission, via: Via, route: readonly string[]): ProofLine {
  const where = via.host === undefined ? via.program : `${via.host} port ${via.port}`;
  const line = { subject: "submission", reference: "RFC 6409 §3.1" } as const;
  switch (submission.status) {
    case "accepted": {
      const { tls } = submission;
      const isClear = tls === undefined && via.host !== undefined;
      return {
        ...line,
        severity: isClear ? "warning" : "ok",
        result: "accepted",
        reason: `${where} took the message${tls === undefined ? "" : ` through ${tls.version}`}${isClear ? ", in the clear" : ""}.`,
        advice: isClear
          ? "Let the server offer TLS: smtpd_tls_security_level = encrypt for submission."
          : null,
      };
    }
    case "refused":
      return {
        ...line,
        severity: "error",
        result: "refused",
        reason: `${submission.detail}.`,
        advice: REFUSED_ADVICE[submission.step],
        ...(submission.step === "recipient" && { commands: route }),
      };
    case "failed":
      return {
        ...line,
        severity: "unknown",
        result: COULD_NOT_TELL,
        reason: `${submission.detail}.`,
        advice: "See whether the server runs and can be reached from here, and whether the port is right.",
      };
    default:
      return submission satisfies never;
  }
}

const REFUSED_ADVICE = {
  greeting: "The server does not want to talk to this client at all; its log says why.",
  tls: "Name an authority of your own with --trust; --insecure-submission goes on all the same. --tls says how TLS begins.",
  login: "See whether user and password are right, and whether the server offers to log in on this port.",
  sender: "See whether the user may send as --from, and whether a log-in (--user) is needed.",
  recipient:
    "Where it refuses to relay, log in: --user. Where it knows no way to the recipient's domain, take one with an MX of its own (--recipient), or tell Postfix the way, as root.",
  message: "The server's log says why it refused the message.",
} as const;

const DELIVERY = { subject: "delivery", reference: "RFC 5321 §4.1.1.4" } as const;

function arrivalLine({ client, receivedAt }: ReceivedMail): ProofLine {
  return {
    ...DELIVERY,
    severity: "ok",
    result: "arrived",
    reason: `It came from ${client.address.text} port ${client.port} at ${receivedAt.toISOString()}.`,
    advice: null,
  };
}

function absenceLine(
  visits: readonly SinkVisit[],
  recipientDomain: string,
  { listen, timeout }: MailProveOptions,
  route: readonly string[],
): ProofLine {
  const visit = visits.find(({ client }) => client.helo !== undefined) ?? visits[0];
  const unseen = {
    ...DELIVERY,
    severity: "unknown",
    result: COULD_NOT_TELL,
    reason: `The mail did not arrive within ${timeout} s: ${visit === undefined ? "nobody came to the receiving end" : visitText(visit)}.`,
  } as const;
  const look = "See with mailq what waits, and why; postsuper -d takes it out of the queue.";
  if (recipientDomain !== SINK_DOMAIN) {
    const advice = `${look} Mail for ${recipientDomain} has to reach this program at ${listen}.`;
    return { ...unseen, advice };
  }
  return {
    ...unseen,
    advice: `${look} Where Postfix does not know the way yet, tell it, as root:`,
    commands: route,
  };
}

function visitText({ client, trouble }: SinkVisit): string {
  const name = client.helo === undefined ? "" : ` as ${client.helo}`;
  return `${client.address.text} came${name} and left no mail${trouble === undefined ? "" : ` (${trouble})`}`;
}

interface Proof {
  readonly domain: DomainName;
  readonly sent: OutgoingMail;
  readonly submission: MailSubmission;
  readonly mail: ReceivedMail | undefined;
  readonly clients: JudgedClients | undefined;
  readonly lines: readonly ProofLine[];
}

function report(proof: Proof, { json }: MailProveOptions, { terminal }: Tools): ExitCode {
  const summary = summarize(proof.lines);
  if (json) terminal.out(`${JSON.stringify({ ...proofJson(proof), summary }, null, 2)}\n`);
  else terminal.out(proofText(proof, summary.sentence, terminal));
  return exitCodeOf([summary]);
}

function proofJson({ domain, sent, submission, mail, clients, lines }: Proof): object {
  return {
    domain,
    sent: { mailFrom: sent.mailFrom, rcptTo: sent.rcptTo },
    submission,
    received: mail
      ? {
          client: { ...mail.client, address: mail.client.address.text, tls: mail.client.tls ?? null },
          mailFrom: mail.mailFrom,
          connectedAt: mail.connectedAt,
          receivedAt: mail.receivedAt,
          octets: mail.octets.length,
        }
      : null,
    judgedFor:
      clients?.status === "known"
        ? { addresses: clients.addresses.map(({ text }) => text), why: clients.why }
        : null,
    lines,
  };
}

function proofText({ domain, clients, lines }: Proof, sentence: string, terminal: Tools["terminal"]): string {
  const { style, columns } = terminal;
  const paint = {
    ok: style.green,
    notice: style.blue,
    warning: style.yellow,
    error: style.red,
    unknown: style.magenta,
  };
  const width = Math.max(...lines.map(({ subject }) => subject.length));
  const indent = " ".repeat(width + 2);
  const judged =
    clients?.status === "known"
      ? [
          wrap(
            visible(`Judged for ${clients.addresses.map(({ text }) => text).join(", ")}: ${clients.why}.`),
            columns,
          ),
          "",
        ]
      : [];
  return [
    `${style.bold(visible(domain))}  ${style.dim("as a receiver sees its mail")}`,
    ...judged,
    ...lines.flatMap(({ subject, severity, result, reason, advice, commands = [] }) => [
      `${style.bold(subject.padEnd(width))}  ${paint[severity](visible(result))}`,
      wrap(visible(reason), columns, indent),
      ...(advice === null ? [] : [wrap(visible(`→ ${advice}`), columns, indent)]),
      ...commands.map((command) => `${indent}${visible(command)}`),
    ]),
    "",
    sentence,
    "",
  ].join("\n");
}
