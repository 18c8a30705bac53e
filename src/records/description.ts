/**
 * The description of servers and domains (`zonepost.yaml`): one schema, from which come the types, the
 * errors with path, line and hint, and the JSON Schema for editors.
 */
import { LineCounter, parseDocument, YAMLParseError } from "yaml";
import { z } from "zod";
import { readCaaProperty } from "../standards/caa/record.ts";
import { parseTlsa, tlsaFromCertificate, tlsaFromPublicKey } from "../standards/dane/tlsa.ts";
import { readDkimPublicKey } from "../standards/dkim/key-source.ts";
import type { DkimPublicKey } from "../standards/dkim/public-key.ts";
import { type DkimSelector, parseDkimSelector, tryDkimOwner } from "../standards/dkim/selector.ts";
import { type FailureOption, readFailureOptions } from "../standards/dmarc/record.ts";
import { type IpAddress, parseAddress, parseNetwork } from "../standards/dns/address.ts";
import {
  type DomainName,
  isHostName,
  isWithin,
  MAX_NAME_OCTETS,
  parseDomainName,
  tryPrepend,
} from "../standards/dns/name.ts";
import type { Parsed, Refused } from "../standards/dns/parsed.ts";
import { type RdataOf, textToOctets } from "../standards/dns/record.ts";
import { parseDomainSpec } from "../standards/spf/macro.ts";
import { isSpfRecord } from "../standards/spf/record.ts";
import { formatPath, problemsOf, type SchemaNode } from "./description-problem.ts";
import { milterSettings } from "./milter-settings.ts";
import { publishEntry } from "./publish-settings.ts";

/** A text that becomes a checked value, or an error that says what to write instead. */
function checkedText<T>(description: string, check: (text: string) => Parsed<T>) {
  return z
    .string()
    .transform((text, context): T => {
      const parsed = check(text.trim());
      if (parsed.ok) return parsed.value;
      context.issues.push({ code: "custom", message: parsed.problem, input: text });
      return z.NEVER;
    })
    .describe(description);
}

const refuse = (problem: string): Refused => ({ ok: false, problem });

function readName(text: string): Parsed<DomainName> {
  const name = parseDomainName(text);
  return name.ok ? name : refuse(`"${text}" is not a domain name: ${name.problem}`);
}

function refuseMailAddress(text: string): Refused | undefined {
  const at = text.lastIndexOf("@");
  if (at < 0) return undefined;
  return refuse(`"${text}" is an e-mail address; write what comes after the @: ${text.slice(at + 1)}`);
}

function readDomain(text: string): Parsed<DomainName> {
  if (parseAddress(text).ok) return refuse(`"${text}" is an address; a domain name belongs here`);
  return refuseMailAddress(text) ?? readName(text);
}

/** What comes after the @ of mail addresses. */
export function readMailDomain(text: string): Parsed<DomainName> {
  const name = readDomain(text);
  if (!name.ok) return name;
  if (!isHostName(name.value)) return refuse(`"${text}" is not a mail domain such as example.org`);
  if (tryPrepend(LONGEST_PREFIX, name.value) !== undefined) return name;
  return refuse(
    `"${text}" is too long: ${LONGEST_PREFIX} has to fit in front of it, in ${MAX_NAME_OCTETS} octets`,
  );
}

/** Of those that the derivation puts in front of every domain. */
const LONGEST_PREFIX = "_autodiscover._tcp";

/** The name of a host, for whoever (`user`) needs one. */
export function readHostName(text: string, user: string): Parsed<DomainName> {
  if (parseAddress(text).ok) return refuse(`"${text}" is an address; ${user} needs a host name`);
  const name = refuseMailAddress(text) ?? readName(text);
  if (!name.ok || isHostName(name.value)) return name;
  return refuse(`"${text}" is not a full host name; write it with its domain, as in mail.example.org`);
}

const domain = (description: string) => checkedText(description, readDomain);
const hostName = (description: string, user: string) =>
  checkedText(description, (text) => readHostName(text, user));

const address = checkedText("An IPv4 or IPv6 address.", parseAddress);
const network = checkedText("An address or a network, as in 198.51.100.0/24.", parseNetwork);

/** The domain of an SPF term; macros such as %{i} stay as they are. */
const spfDomain = (description: string, term: string) =>
  checkedText(description, (text): Parsed<string> => {
    if (text.startsWith(`${term}:`)) {
      return refuse(`write "${text.slice(term.length + 1)}", without "${term}:"`);
    }
    if (parseAddress(text).ok) return refuse(`"${text}" is an address; it belongs under spf.addresses`);
    if (!text.includes("%")) {
      const name = refuseMailAddress(text) ?? readName(text);
      if (!name.ok) return name;
      if (name.value.includes("\\")) return refuse(`"${text}" is not a name that SPF can hold`);
      text = name.value;
    }
    const spec = parseDomainSpec(text);
    return spec.ok ? { ok: true, value: text } : refuse(`"${text}" cannot stand in SPF: ${spec.problem}`);
  });

/** TXT and CAA data that goes into files of other programs, and is therefore one line of printable text. */
function readLine(text: string): Parsed<string> {
  if (text === "") return refuse("the text is empty");
  if (Buffer.byteLength(text) > MAX_LINE_OCTETS) return refuse(`longer than ${MAX_LINE_OCTETS} octets`);
  const isPlain = !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text);
  return isPlain
    ? { ok: true, value: text }
    : refuse("line breaks and control characters cannot be published");
}
const MAX_LINE_OCTETS = 2048;

function readMailbox(text: string): Parsed<string> {
  const mailbox = text.replace(/^mailto:/i, "");
  const host = /^[^@\s,;!?%]+@([^@\s]+)$/.exec(mailbox)?.[1];
  const name = host === undefined ? undefined : parseDomainName(host);
  if (name?.ok && isHostName(name.value)) {
    return { ok: true, value: `mailto:${mailbox.slice(0, mailbox.indexOf("@"))}@${name.value}` };
  }
  return refuse(`"${text}" is not a mailbox such as dmarc@example.org`);
}

/** https, and nothing in it that ends a tag or a list (RFC 8460 §3). */
function readHttpsUrl(text: string): Parsed<string> {
  if (!/^https:\/\//i.test(text) || !URL.canParse(text)) {
    return refuse(`"${text}" is not a URL that begins with https://`);
  }
  return /^[!-~]+$/.test(text) && !/[,;!]/.test(text)
    ? { ok: true, value: text }
    : refuse(`"${text}": write blanks, "," "!" ";" and letters beyond ASCII as %20, %2C, %21, %3B and so on`);
}

/** RFC 9990 §3 knows reports by mail only. */
const dmarcReceiver = (description: string) =>
  checkedText(description, (text) =>
    /^https?:/i.test(text) ? refuse(`"${text}" is a URL; DMARC reports go to a mailbox`) : readMailbox(text),
  );
const tlsReceiver = checkedText("A mailbox, or a URL with https.", (text) =>
  /^https?:/i.test(text) ? readHttpsUrl(text) : readMailbox(text),
);

/** No domain has more of anything; work on some of them grows with the square. */
const MAX_LISTED = 250;
const list = <T extends z.ZodType>(item: T) => z.array(item).max(MAX_LISTED);
const listOf = <T extends z.ZodType>(item: T) => z.union([item.transform((one) => [one]), list(item)]);
const oneOrMore = <T extends z.ZodType>(item: T) =>
  listOf(item).refine((list) => list.length > 0, "the list is empty; name at least one");

export const SERVICES = [
  "smtp",
  "submission",
  "submissions",
  "imap",
  "imaps",
  "pop3",
  "pop3s",
  "sieve",
  "jmap",
  "caldavs",
  "carddavs",
] as const;
export type Service = (typeof SERVICES)[number];

const ttlSeconds = z.int().min(0).max(604_800);
const ttls = z
  .strictObject({
    default: ttlSeconds.optional(),
    A: ttlSeconds.optional(),
    AAAA: ttlSeconds.optional(),
    PTR: ttlSeconds.optional(),
    MX: ttlSeconds.optional(),
    TXT: ttlSeconds.optional(),
    CNAME: ttlSeconds.optional(),
    SRV: ttlSeconds.optional(),
    TLSA: ttlSeconds.optional(),
    CAA: ttlSeconds.optional(),
  })
  .describe("Seconds that caches may keep the records of a type; 3600 where nothing is said.");

const tlsaSource = z
  .strictObject({
    record: z.string().optional().describe('The data, as in "3 1 1 0b9f…".'),
    certificate: z.string().optional().describe("A certificate in PEM."),
    publicKey: z.string().optional().describe("A public key in PEM."),
    file: z
      .string()
      .optional()
      .describe("A PEM file with a certificate or a public key, relative to this file."),
  })
  .refine((source) => Object.values(source).filter((value) => value !== undefined).length === 1, {
    message: "give exactly one of record, certificate, publicKey, file",
  });

const server = z.strictObject({
  host: hostName("The name by which the world reaches the server: its MX, PTR and HELO name.", "a server"),
  addresses: oneOrMore(address),
  addressKind: z
    .enum(["static", "dynamic", "moving"])
    .default("static")
    .describe("static: TTL 3600 · dynamic: TTL 300 · moving: TTL 300 until the addresses have changed."),
  outbound: oneOrMore(address)
    .optional()
    .describe("Addresses that mail leaves from, where they differ from `addresses`."),
  helo: hostName("The name it says in HELO, where it differs from `host`.", "HELO").optional(),
  services: z
    .array(z.enum(SERVICES))
    .default(["smtp", "submissions", "imaps"])
    .describe("What the server offers to clients and to other servers."),
  tlsa: list(tlsaSource).default([]).describe("DANE: the certificate or key of port 25; needs DNSSEC."),
});

const mxEntry = z.union([
  hostName("A mail server.", "an MX").transform((host) => ({ host, preference: undefined, trap: false })),
  z.strictObject({
    host: hostName("A mail server.", "an MX"),
    preference: z
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe("Lowest is tried first; equal ones share the load."),
    trap: z
      .boolean()
      .default(false)
      .describe("Tried last, takes no mail, shows who asks it first: see `zonepost trap`."),
  }),
]);

const spf = z.strictObject({
  mechanisms: z
    .array(z.enum(["mx", "a", "addresses"]))
    .default(["mx", "a", "addresses"])
    .describe("How our own servers are named: by the MX, by the domain's address, by their addresses."),
  servers: z
    .array(hostName("A server of this file.", "a sender"))
    .optional()
    .describe("Which servers send; all by default."),
  include: list(spfDomain("A sender's SPF record to include.", "include")).default([]),
  addresses: list(network).default([]).describe("Other addresses and networks that send."),
  hosts: list(spfDomain("A host whose addresses send.", "a")).default([]),
  ending: z
    .enum(["softfail", "fail", "neutral"])
    .default("softfail")
    .describe("What becomes of mail from elsewhere: softfail (~all), fail (-all), neutral (?all)."),
});

const dkimKey = z
  .strictObject({
    selector: checkedText("The name under _domainkey.", parseDkimSelector),
    publicKey: z
      .string()
      .optional()
      .describe("The public key: PEM, base64, or the record as the signer wrote it."),
    file: z.string().optional().describe("A file that holds it, relative to this file."),
    cname: domain("Where the sender keeps the key for you.").optional(),
  })
  .refine((key) => [key.publicKey, key.file, key.cname].filter((value) => value !== undefined).length === 1, {
    message: "give exactly one of publicKey, file, cname",
  });

const policy = z.enum(["none", "quarantine", "reject"]);
const dmarc = z.strictObject({
  policy: policy.default("none").describe("none: watch · quarantine: to the junk folder · reject: refuse."),
  subdomainPolicy: policy.optional(),
  nonexistentPolicy: policy.optional(),
  reports: listOf(dmarcReceiver("Where aggregate reports go."))
    .optional()
    .describe("dmarc@<domain> by default; [] asks for none."),
  failureReports: oneOrMore(dmarcReceiver("Where failure reports go.")).optional(),
  failureOptions: z
    .union([z.int().transform(String), z.string()])
    .transform((text, context): readonly FailureOption[] => {
      const options = readFailureOptions(text);
      if (options !== undefined) return options;
      context.issues.push({
        code: "custom",
        message: "write 0, 1, d, s, or some of them as in 1:d:s",
        input: text,
      });
      return z.NEVER;
    })
    .optional()
    .describe("Which failures are reported: 0 nothing aligned · 1 anything failed · d DKIM · s SPF."),
  spfAlignment: z.enum(["relaxed", "strict"]).optional(),
  dkimAlignment: z.enum(["relaxed", "strict"]).optional(),
  testing: z.boolean().default(false).describe("t=y: receivers apply the policy one level lower."),
});

const caa = z
  .union([
    checkedText("Who may issue certificates.", readLine).transform((value) => ({
      tag: "issue" as const,
      value,
      critical: false,
    })),
    z.strictObject({
      tag: z.enum(["issue", "issuewild", "issuemail", "iodef"]).default("issue"),
      value: checkedText('An authority\'s domain, ";" for nobody, or the address for iodef.', readLine),
      critical: z.boolean().default(false),
    }),
  ])
  .superRefine(({ tag, value }, context) => {
    const property = readCaaProperty({ type: "CAA", flags: 0, tag, value: textToOctets(value) });
    const fault =
      tag === "iodef" && !/^(mailto|https?):\S+$/i.test(value)
        ? `"${value}" is not a URL that begins with mailto: or https:`
        : property.kind === "issuer" && property.isMalformed
          ? `"${value}" is not the domain of an authority, such as letsencrypt.org`
          : undefined;
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  });

const token = checkedText("A text that proves the domain is yours.", (text) =>
  isSpfRecord(text) ? refuse("an SPF record is derived already; its terms belong under spf") : readLine(text),
);

const mailDomain = z.strictObject({
  domain: checkedText("What comes after the @.", readMailDomain),
  receives: z.boolean().default(true).describe("false: a null MX; nobody can write to this domain."),
  sends: z.boolean().default(true).describe("false: SPF, DKIM and DMARC refuse all mail in its name."),
  mx: list(mxEntry).optional().describe("Every server that offers smtp, in order, where nothing is said."),
  spf: spf.prefault({}),
  dkim: list(dkimKey).default([]),
  dmarc: dmarc.prefault({}),
  mtaSts: z
    .strictObject({
      mode: z.enum(["testing", "enforce", "none"]).default("testing"),
      maxAgeSeconds: z.int().min(0).max(31_557_600).optional(),
      host: hostName("Who serves the policy; the first mail server by default.", "a policy host").optional(),
    })
    .optional(),
  tlsReports: oneOrMore(tlsReceiver).optional().describe("Where TLS reports go."),
  clientSetup: z
    .union([
      z.boolean().transform((on) => ({ enabled: on, host: undefined, declineOthers: false })),
      z
        .strictObject({
          host: hostName("Who answers autoconfig and autodiscover.", "client set-up").optional(),
          declineOthers: z.boolean().default(false).describe('Also publish SRV "." for what is not offered.'),
        })
        .transform((setup) => ({ enabled: true, ...setup })),
    ])
    .default({ enabled: true, host: undefined, declineOthers: false }),
  xmpp: z
    .union([
      z.boolean().transform((on) => (on ? { host: undefined, directTls: false } : undefined)),
      z.strictObject({
        host: hostName("The XMPP server; the first mail server by default.", "XMPP").optional(),
        directTls: z.boolean().default(false),
      }),
    ])
    .optional(),
  delegation: z
    .strictObject({
      zone: domain("The zone that takes the records in; one that Zonepost may update."),
      records: z
        .array(z.enum(["dkim", "dmarc", "mta-sts"]))
        .min(1)
        .default(["dkim"])
        .describe("Which records live there."),
      selectors: list(checkedText("A selector for a later key.", parseDkimSelector))
        .default([])
        .describe("Selectors of keys to come: their aliases are made now, so that a new key needs nobody."),
    })
    .optional()
    .describe(
      "Puts records behind aliases (CNAME), made once, into a zone where they can be changed at any time.",
    ),
  verification: list(
    z.union([
      token.transform((value) => ({ name: undefined, value })),
      z.strictObject({
        name: domain("Where the token belongs, in full; the domain itself by default.").optional(),
        value: token,
      }),
    ]),
  )
    .default([])
    .describe("Tokens that prove the domain is yours, such as google-site-verification=…"),
  caa: list(caa).default([]),
  bimi: z
    .strictObject({
      logo: checkedText("The logo, an SVG file over https.", readHttpsUrl),
      certificate: checkedText("Its mark certificate, over https.", readHttpsUrl).optional(),
      selector: checkedText("The name under _bimi.", parseDkimSelector).prefault("default"),
    })
    .optional(),
  ttl: ttls.optional(),
});

export const descriptionSchema = z
  .strictObject({
    $schema: z.string().optional(),
    servers: z.array(server).default([]),
    domains: z.array(mailDomain),
    publish: z
      .array(publishEntry)
      .default([])
      .describe("Who holds the zones; the first entry for a zone counts."),
    milter: milterSettings.prefault({}),
    ttl: ttls.optional(),
  })
  .superRefine(({ servers, domains }, context) => {
    const add = ({ path, problem }: Fault, outer: readonly (string | number)[] = []) =>
      context.addIssue({ code: "custom", path: [...outer, ...path], message: problem });
    for (const fault of duplicates(
      servers.map(({ host }) => host),
      "is described twice",
    )) {
      add({ ...fault, path: [...fault.path, "host"] }, ["servers"]);
    }
    for (const fault of duplicates(
      domains.map((entry) => entry.domain),
      "is described twice",
    )) {
      add({ ...fault, path: [...fault.path, "domain"] }, ["domains"]);
    }
    for (const [at, entry] of domains.entries()) {
      for (const fault of faultsOf(entry, servers)) add(fault, ["domains", at]);
    }
  });

interface Fault {
  readonly path: readonly (string | number)[];
  readonly problem: string;
}

function duplicates(names: readonly string[], problem: string): Fault[] {
  const seen = new Set<string>();
  return names.flatMap((name, at) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ path: [at], problem: `"${name}" ${problem}` }];
  });
}

/** What no single key of a domain can know. */
function faultsOf(
  {
    domain: name,
    receives,
    sends,
    mx,
    spf,
    dkim,
    mtaSts,
    delegation,
    verification,
  }: z.output<typeof mailDomain>,
  servers: readonly z.output<typeof server>[],
): Fault[] {
  const fault = (path: Fault["path"], problem: string): Fault => ({ path, problem });
  const within = (path: Fault["path"], faults: readonly Fault[], end: Fault["path"] = []) =>
    faults.map((inner) => fault([...path, ...inner.path, ...end], inner.problem));
  const faults: Fault[] = [];
  if (receives && mx === undefined && !servers.some(({ services }) => services.includes("smtp"))) {
    faults.push(
      fault([], `"${name}" receives mail, but no server offers smtp; add a server, mx, or receives: false`),
    );
  }
  if (receives && mx?.length === 0) {
    faults.push(fault(["mx"], "the list is empty; leave it out for the default, or say receives: false"));
  }
  if (mx !== undefined && mx.length > 0 && mx.every(({ trap }) => trap)) {
    faults.push(fault(["mx"], "a trap takes no mail; name a server that does"));
  }
  const worst = Math.max(-1, ...(mx ?? []).map(({ trap, preference = -1 }) => (trap ? -1 : preference)));
  for (const [at, { trap, preference }] of (mx ?? []).entries()) {
    if (trap && preference !== undefined && preference <= worst) {
      faults.push(
        fault(["mx", at, "preference"], `a trap is tried last: say more than ${worst}, or leave it out`),
      );
    }
  }
  if (!receives && mx !== undefined) {
    faults.push(
      fault(["mx"], "a domain that receives no mail has no mail servers; drop mx or receives: false"),
    );
  }
  if (!receives && mtaSts !== undefined) {
    faults.push(
      fault(["mtaSts"], "a domain that receives no mail needs no policy; drop mtaSts or receives: false"),
    );
  }
  if (!sends && dkim.length > 0) {
    faults.push(fault(["dkim"], "a domain that sends no mail has no keys; drop dkim or sends: false"));
  }
  if (!sends && servers.some(({ host, helo }) => (helo ?? host) === name)) {
    faults.push(
      fault(
        ["sends"],
        `a server says "${name}" in HELO, so receivers must accept it as a sender; drop sends: false`,
      ),
    );
  }
  faults.push(
    ...within(
      ["mx"],
      duplicates(
        (mx ?? []).map(({ host }) => host),
        "is named twice",
      ),
    ),
  );
  for (const [at, host] of (spf.servers ?? []).entries()) {
    if (servers.some((known) => known.host === host)) continue;
    faults.push(fault(["spf", "servers", at], `"${host}" is not among the servers`));
  }
  faults.push(
    ...within(
      ["dkim"],
      duplicates(
        dkim.map(({ selector }) => selector),
        "is used twice",
      ),
      ["selector"],
    ),
  );
  for (const [at, { selector }] of dkim.entries()) {
    if (tryDkimOwner(selector, name) !== undefined) continue;
    faults.push(
      fault(
        ["dkim", at, "selector"],
        `together with "${name}" the name is longer than ${MAX_NAME_OCTETS} octets`,
      ),
    );
  }
  if (delegation !== undefined && isWithin(delegation.zone, name)) {
    faults.push(
      fault(["delegation", "zone"], `"${delegation.zone}" lies in "${name}" itself; name another zone`),
    );
  }
  for (const [at, { name: owner }] of verification.entries()) {
    if (owner === undefined || isWithin(owner, name)) continue;
    faults.push(
      fault(["verification", at, "name"], `"${owner}" does not lie in "${name}"; write the whole name`),
    );
  }
  return faults;
}

type Checked = z.output<typeof descriptionSchema>;

/** A checked description, with keys and certificates read. */
export interface Description extends Omit<Checked, "servers" | "domains"> {
  readonly servers: readonly Server[];
  readonly domains: readonly MailDomain[];
}
export interface Server extends Omit<Checked["servers"][number], "tlsa"> {
  readonly tlsa: readonly RdataOf<"TLSA">[];
}
export interface MailDomain extends Omit<Checked["domains"][number], "dkim"> {
  readonly dkim: readonly DescribedDkimKey[];
}
export type DescribedDkimKey =
  | { readonly selector: DkimSelector; readonly key: DkimPublicKey }
  | { readonly selector: DkimSelector; readonly cname: DomainName };

/** One thing wrong with a description: where, what, and what to do. */
export interface DescriptionProblem {
  /** "domains[2].mx[0]" */
  readonly path: string;
  /** Line in the file, counted from 1; undefined where the problem has no place in the text. */
  readonly line?: number;
  readonly problem: string;
}

export type DescriptionResult =
  | { readonly ok: true; readonly description: Description }
  | { readonly ok: false; readonly problems: readonly DescriptionProblem[] };

/** More text than a hundred thousand domains need. */
export const MAX_DESCRIPTION_OCTETS = 64 * 1024 * 1024;

/**
 * Reads YAML (or JSON, which is YAML) into a checked description. `readFile` gives the content of the files
 * that it names; where it cannot, it throws an error whose message says so.
 */
export function parseDescription(text: string, readFile?: (path: string) => string): DescriptionResult {
  return parseWithContent(text, readFile).result;
}

/** With what the text says, as it stands there. */
export function parseWithContent(
  text: string,
  readFile?: (path: string) => string,
): { readonly result: DescriptionResult; readonly content: unknown } {
  if (text.length > MAX_DESCRIPTION_OCTETS)
    return { result: refused("", undefined, "the description is larger than 64 MiB"), content: undefined };
  const lines = new LineCounter();
  const yaml = readYaml(text, lines);
  if (!yaml.ok) return { result: yaml.result, content: undefined };
  const { document, content } = yaml;
  if (content === null || content === undefined)
    return { result: refused("", undefined, "the description is empty"), content };
  const lineAt = (path: readonly PropertyKey[]): number | undefined => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as
        | { range?: [number, number, number] }
        | undefined;
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return undefined;
  };
  return { result: readDescription(content, readFile, lineAt), content };
}

/** The same from what was read of such a text already, as the store keeps it. */
export function readDescription(
  content: unknown,
  readFile?: (path: string) => string,
  lineAt: (path: readonly PropertyKey[]) => number | undefined = () => undefined,
): DescriptionResult {
  const result = descriptionSchema.safeParse(content, { reportInput: true });
  if (!result.success) {
    const problems = problemsOf(result.error.issues, descriptionJsonSchema());
    return { ok: false, problems: problems.map(({ path, problem }) => located(path, lineAt(path), problem)) };
  }
  return readKeys(result.data, readFile, (path, problem) => located(path, lineAt(path), problem));
}

/** Aliases may stand for so many nodes; more is a bomb. */
const MAX_ALIAS_COUNT = 100;

type Yaml =
  | { readonly ok: true; readonly document: ReturnType<typeof parseDocument>; readonly content: unknown }
  | { readonly ok: false; readonly result: DescriptionResult };

function readYaml(text: string, lines: LineCounter): Yaml {
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
    const [fault] = document.errors;
    if (fault === undefined)
      return { ok: true, document, content: document.toJS({ maxAliasCount: MAX_ALIAS_COUNT }) };
    const { line } = lines.linePos(fault.pos[0]);
    return { ok: false, result: refused("", line, yamlProblem(fault)) };
  } catch (error) {
    return { ok: false, result: refused("", undefined, yamlProblem(error as Error)) };
  }
}

function yamlProblem(fault: Error | YAMLParseError): string {
  if (/call stack/.test(fault.message)) return "the YAML is nested too deeply"; // its reader recurses
  if (!(fault instanceof YAMLParseError)) return `not usable YAML: ${fault.message}`;
  return fault.code === "MULTIPLE_DOCS"
    ? "several YAML documents (divided by ---); a description is one"
    : `not valid YAML: ${fault.message}`;
}

function refused(path: string, line: number | undefined, problem: string): DescriptionResult {
  return { ok: false, problems: [{ path, ...(line !== undefined && { line }), problem }] };
}

function located(
  path: readonly PropertyKey[],
  line: number | undefined,
  problem: string,
): DescriptionProblem {
  return { path: formatPath(path), ...(line !== undefined && { line }), problem };
}

/** Reads keys and certificates, from files where the description names files, so that everything after this is pure. */
function readKeys(
  checked: Checked,
  readFile: ((path: string) => string) | undefined,
  problemAt: (path: PropertyKey[], problem: string) => DescriptionProblem,
): DescriptionResult {
  const problems: DescriptionProblem[] = [];
  const take = <T>(path: PropertyKey[], parsed: Parsed<T>): T[] => {
    if (parsed.ok) return [parsed.value];
    problems.push(problemAt(path, parsed.problem));
    return [];
  };
  const servers = checked.servers.map((entry, at) => ({
    ...entry,
    tlsa: entry.tlsa.flatMap((source, n) =>
      take(["servers", at, "tlsa", n, ...Object.keys(source)], readTlsaSource(source, readFile)),
    ),
  }));
  const domains = checked.domains.map((entry, at) => ({
    ...entry,
    dkim: entry.dkim.flatMap(({ selector, publicKey, file, cname }, n): DescribedDkimKey[] => {
      if (cname !== undefined) return [{ selector, cname }];
      const text: Parsed<string> =
        file === undefined ? { ok: true, value: publicKey! } : readNamed(file, readFile);
      const key = text.ok ? readDkimPublicKey(text.value) : text;
      return take(["domains", at, "dkim", n, file === undefined ? "publicKey" : "file"], key).map((read) => ({
        selector,
        key: read,
      }));
    }),
  }));
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, description: { ...checked, servers, domains } };
}

function readNamed(path: string, readFile: ((path: string) => string) | undefined): Parsed<string> {
  try {
    if (readFile === undefined)
      return refuse(`"${path}" cannot be read here; put the text itself into the description`);
    return { ok: true, value: readFile(path) };
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function readTlsaSource(
  { record, certificate, publicKey, file }: z.output<typeof tlsaSource>,
  readFile: ((path: string) => string) | undefined,
): Parsed<RdataOf<"TLSA">> {
  if (record !== undefined) {
    const tlsa = parseTlsa(record);
    const isForMail = !tlsa.ok || tlsa.value.usage === 2 || tlsa.value.usage === 3;
    return isForMail ? tlsa : refuse("mail servers know usages 2 and 3 only (RFC 7672 §3.1); best is 3 1 1");
  }
  const pem: Parsed<string> =
    file === undefined ? { ok: true, value: (certificate ?? publicKey)! } : readNamed(file, readFile);
  if (!pem.ok) return pem;
  return pem.value.includes("BEGIN CERTIFICATE")
    ? tlsaFromCertificate(pem.value)
    : tlsaFromPublicKey(pem.value);
}

/** The JSON Schema of the file, for editors. */
export function descriptionJsonSchema(): SchemaNode {
  return z.toJSONSchema(descriptionSchema, { io: "input", unrepresentable: "any" }) as SchemaNode;
}

/** The addresses that a server's mail leaves from. */
export function outboundAddresses(entry: Server): readonly IpAddress[] {
  return entry.outbound ?? entry.addresses;
}
