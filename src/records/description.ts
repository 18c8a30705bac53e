/**
 * The description of servers and domains (`zonepost.yaml`): one schema, from which come the types, the
 * errors with path, line and hint, and the JSON Schema for editors.
 */
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { parseTlsa, tlsaFromCertificate, tlsaFromPublicKey } from "../standards/dane/tlsa.ts";
import { readDkimPublicKey } from "../standards/dkim/key-source.ts";
import type { DkimPublicKey } from "../standards/dkim/public-key.ts";
import { type DkimSelector, parseDkimSelector } from "../standards/dkim/selector.ts";
import { type IpAddress, parseAddress, parseNetwork } from "../standards/dns/address.ts";
import { type DomainName, isHostName, parseDomainName } from "../standards/dns/name.ts";
import type { Parsed, Refused } from "../standards/dns/parsed.ts";
import type { RdataOf } from "../standards/dns/record.ts";
import { closest } from "./closest.ts";

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

const domain = (description: string) =>
  checkedText(description, (text) => {
    const at = text.lastIndexOf("@");
    if (at >= 0)
      return refuse(`"${text}" is an e-mail address; write what comes after the @: ${text.slice(at + 1)}`);
    if (parseAddress(text).ok) return refuse(`"${text}" is an address; a domain name belongs here`);
    return readName(text);
  });

const hostName = (description: string, user: string) =>
  checkedText(description, (text) => {
    if (parseAddress(text).ok) return refuse(`"${text}" is an address; ${user} needs a host name`);
    const name = readName(text);
    if (!name.ok || isHostName(name.value)) return name;
    return refuse(`"${text}" is not a full host name; write it with its domain, as in mail.example.org`);
  });

const address = checkedText("An IPv4 or IPv6 address.", parseAddress);
const network = checkedText("An address or a network, as in 198.51.100.0/24.", parseNetwork);

const reportUri = (description: string) =>
  checkedText(description, (text): Parsed<string> => {
    const uri = /^(mailto|https):/i.test(text) ? text : `mailto:${text}`;
    if (/^https:/i.test(uri))
      return URL.canParse(uri) ? { ok: true, value: uri } : refuse(`"${text}" is not a URL`);
    const mailbox = uri.slice("mailto:".length);
    if (!/^[^@\s,;!]+@[^@\s,;!]+$/.test(mailbox))
      return refuse(`"${text}" is not a mailbox such as dmarc@example.org`);
    const host = parseDomainName(mailbox.slice(mailbox.indexOf("@") + 1));
    return host.ok ? { ok: true, value: uri } : refuse(`"${text}": ${host.problem}`);
  });

const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item.transform((one) => [one]), z.array(item)]);

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
    record: z
      .string()
      .regex(/^[0-3] [01] [0-2] [0-9a-fA-F ]+$/, 'write it as "3 1 1 <hex>"')
      .optional(),
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
  addresses: oneOrMore(address).refine((list) => list.length > 0, "a server needs at least one address"),
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
  tlsa: z.array(tlsaSource).default([]).describe("DANE: the certificate or key of port 25; needs DNSSEC."),
});

const mxEntry = z.union([
  hostName("A mail server.", "an MX").transform((host) => ({ host, preference: undefined })),
  z.strictObject({
    host: hostName("A mail server.", "an MX"),
    preference: z
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe("Lowest is tried first; equal ones share the load."),
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
  include: z.array(domain("A sender's SPF record to include.")).default([]),
  addresses: z.array(network).default([]).describe("Other addresses and networks that send."),
  hosts: z.array(domain("A host whose addresses send.")).default([]),
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
  reports: oneOrMore(reportUri("Where aggregate reports go."))
    .optional()
    .describe("dmarc@<domain> by default."),
  failureReports: oneOrMore(reportUri("Where failure reports go.")).optional(),
  failureOptions: z.enum(["0", "1", "d", "s"]).optional(),
  spfAlignment: z.enum(["relaxed", "strict"]).optional(),
  dkimAlignment: z.enum(["relaxed", "strict"]).optional(),
  testing: z.boolean().default(false).describe("t=y: receivers apply the policy one level lower."),
});

const caa = z.union([
  z.string().transform((value) => ({ tag: "issue" as const, value, critical: false })),
  z.strictObject({
    tag: z.enum(["issue", "issuewild", "issuemail", "iodef"]).default("issue"),
    value: z.string(),
    critical: z.boolean().default(false),
  }),
]);

const mailDomain = z.strictObject({
  domain: domain("What comes after the @."),
  receives: z.boolean().default(true).describe("false: a null MX; nobody can write to this domain."),
  sends: z.boolean().default(true).describe("false: SPF, DKIM and DMARC refuse all mail in its name."),
  mx: z.array(mxEntry).optional().describe("Every server that offers smtp, in order, where nothing is said."),
  spf: spf.prefault({}),
  dkim: z.array(dkimKey).default([]),
  dmarc: dmarc.prefault({}),
  mtaSts: z
    .strictObject({
      mode: z.enum(["testing", "enforce", "none"]).default("testing"),
      maxAgeSeconds: z.int().min(0).max(31_557_600).optional(),
      host: hostName("Who serves the policy; the first mail server by default.", "a policy host").optional(),
    })
    .optional(),
  tlsReports: oneOrMore(reportUri("Where TLS reports go.")).optional(),
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
  verification: z
    .array(
      z.union([
        z.string().transform((value) => ({ name: undefined, value })),
        z.strictObject({
          name: domain("Where the token belongs; the domain itself by default.").optional(),
          value: z.string(),
        }),
      ]),
    )
    .default([])
    .describe("Tokens that prove the domain is yours, such as google-site-verification=…"),
  caa: z.array(caa).default([]),
  bimi: z
    .strictObject({
      logo: z.url({ protocol: /^https$/ }),
      certificate: z.url({ protocol: /^https$/ }).optional(),
      selector: z.string().default("default"),
    })
    .optional(),
  ttl: ttls.optional(),
});

export const descriptionSchema = z
  .strictObject({
    $schema: z.string().optional(),
    servers: z.array(server).default([]),
    domains: z.array(mailDomain),
    ttl: ttls.optional(),
  })
  .superRefine((description, context) => {
    const issue = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    const hosts = new Map(description.servers.map((entry, at) => [entry.host, at]));
    for (const [at, { host }] of description.servers.entries()) {
      if (hosts.get(host) !== at) issue(["servers", at, "host"], `"${host}" is described twice`);
    }
    const seen = new Set<DomainName>();
    for (const [at, entry] of description.domains.entries()) {
      if (seen.has(entry.domain)) issue(["domains", at, "domain"], `"${entry.domain}" is described twice`);
      seen.add(entry.domain);
      const receiving = entry.receives && entry.mx === undefined;
      if (receiving && !description.servers.some(({ services }) => services.includes("smtp"))) {
        issue(
          ["domains", at],
          `"${entry.domain}" receives mail, but no server offers smtp; add a server, mx, or receives: false`,
        );
      }
      if (entry.mx?.length === 0) {
        issue(
          ["domains", at, "mx"],
          "the list is empty; leave it out for the default, or say receives: false",
        );
      }
      if (!entry.receives && entry.mx !== undefined) {
        issue(
          ["domains", at, "mx"],
          "a domain that receives no mail has no mail servers; drop mx or receives: false",
        );
      }
      for (const [n, host] of (entry.spf.servers ?? []).entries()) {
        if (!hosts.has(host))
          issue(["domains", at, "spf", "servers", n], `"${host}" is not among the servers`);
      }
      const selectors = new Set<string>();
      for (const [n, { selector }] of entry.dkim.entries()) {
        if (selectors.has(selector))
          issue(["domains", at, "dkim", n, "selector"], `"${selector}" is used twice`);
        selectors.add(selector);
      }
    }
  });

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
 * that it names, and throws where it cannot.
 */
export function parseDescription(text: string, readFile?: (path: string) => string): DescriptionResult {
  if (text.length > MAX_DESCRIPTION_OCTETS)
    return refused("", undefined, "the description is larger than 64 MiB");
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    maxAliasCount: 100,
  } as never);
  const [syntaxError] = document.errors;
  if (syntaxError)
    return refused("", lines.linePos(syntaxError.pos[0]).line, `not valid YAML: ${syntaxError.message}`);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return refused("", undefined, `not usable YAML: ${(error as Error).message}`);
  }
  if (content === null || content === undefined) return refused("", undefined, "the description is empty");
  const result = descriptionSchema.safeParse(content);
  const lineAt = (path: readonly PropertyKey[]): number | undefined => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as
        | { range?: [number, number, number] }
        | undefined;
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return undefined;
  };
  if (!result.success) {
    const problems = result.error.issues.flatMap((issue) => problemsOf(issue, []));
    return { ok: false, problems: problems.map(({ path, problem }) => located(path, lineAt(path), problem)) };
  }
  return readKeys(result.data, readFile, (path, problem) => located(path, lineAt(path), problem));
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

function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

type Issue = z.core.$ZodIssue;

/** One zod issue as sentences; a union's issues are those of the branch that came nearest. */
function problemsOf(issue: Issue, outer: readonly PropertyKey[]): { path: PropertyKey[]; problem: string }[] {
  const path = [...outer, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const near = closest(key, KNOWN_KEYS);
      return {
        path: [...path, key],
        problem: `unknown key "${key}"${near ? `; did you mean "${near}"?` : ""}`,
      };
    });
  }
  if (issue.code === "invalid_union") {
    const typeMismatch = (branch: readonly Issue[]) =>
      branch.some((inner) => inner.code === "invalid_type" && inner.path.length === 0);
    const branch = issue.errors.find((issues) => !typeMismatch(issues)) ?? issue.errors[0];
    if (branch !== undefined) return branch.flatMap((inner) => problemsOf(inner, path));
  }
  if (issue.code === "invalid_type" && issue.message.includes("received undefined")) {
    return [{ path, problem: "is missing" }];
  }
  return [{ path, problem: issue.message }];
}

const KNOWN_KEYS = [
  ...new Set(
    [descriptionSchema, server, mailDomain, spf, dkimKey, dmarc, tlsaSource, ttls].flatMap((schema) =>
      Object.keys(schema.shape),
    ),
  ),
];

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
      take(["servers", at, "tlsa", n], readTlsaSource(source, readFile)),
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
    return refuse(`cannot read "${path}": ${(error as Error).message}`);
  }
}

function readTlsaSource(
  { record, certificate, publicKey, file }: z.output<typeof tlsaSource>,
  readFile: ((path: string) => string) | undefined,
): Parsed<RdataOf<"TLSA">> {
  if (record !== undefined) return parseTlsa(record);
  const pem: Parsed<string> =
    file === undefined ? { ok: true, value: (certificate ?? publicKey)! } : readNamed(file, readFile);
  if (!pem.ok) return pem;
  return pem.value.includes("BEGIN CERTIFICATE")
    ? tlsaFromCertificate(pem.value)
    : tlsaFromPublicKey(pem.value);
}

/** The JSON Schema of the file, for editors. */
export function descriptionJsonSchema(): object {
  return z.toJSONSchema(descriptionSchema, { io: "input", unrepresentable: "any" });
}

/** The addresses that a server's mail leaves from. */
export function outboundAddresses(entry: Server): readonly IpAddress[] {
  return entry.outbound ?? entry.addresses;
}
