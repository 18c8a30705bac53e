/** Worlds with one fault each, as edits of the healthy one, and what a check must say of it: that, and nothing else. */
import { createPublicKey } from "node:crypto";
import type { FindingCode } from "../../src/check/catalogue.ts";
import type { CheckOptions } from "../../src/check/context.ts";
import type { FileRead } from "../../src/records/signer/configuration.ts";
import { readSigner, signingOf } from "../../src/records/signer/read-signer.ts";
import { zoneLine } from "../../src/records/zone-listing.ts";
import { type DomainName, domainName } from "../../src/standards/dns/name.ts";
import { formatRdata } from "../../src/standards/dns/rdata-text.ts";
import { toCharacterStrings } from "../../src/standards/dns/record.ts";
import {
  BARE,
  DESCRIBED,
  DESCRIPTION,
  DKIM_KEY,
  DOMAIN,
  HEALTHY,
  OTHER_DKIM_KEY,
  optionsOf,
  signature,
} from "./healthy-world.ts";
import { edited, type WorldRows } from "./table-world.ts";

export interface BrokenWorld {
  readonly why: string;
  readonly rows: WorldRows;
  readonly options: CheckOptions;
  /** The domain that is checked, where it is not the healthy one. */
  readonly domain: DomainName;
  /** The codes of all errors and warnings, sorted. */
  readonly red: readonly FindingCode[];
  /** Codes of notices (and of what is fine) that must be there too. */
  readonly also: readonly FindingCode[];
}

interface Edit {
  readonly without?: readonly string[];
  readonly add?: readonly string[];
  readonly rows?: Omit<WorldRows, "zone">;
  readonly options?: CheckOptions;
  readonly also?: readonly FindingCode[];
  readonly domain?: string;
}

function broken(why: string, edit: Edit, ...red: FindingCode[]): BrokenWorld {
  const { without = [], add = [], rows = {}, options = BARE, also = [], domain = DOMAIN } = edit;
  return {
    why,
    rows: { ...rows, zone: edited(HEALTHY, { without, add }) },
    options,
    domain: domainName(domain),
    red: red.sort(),
    also,
  };
}

/** A TXT record as a zone line, the text as it is on the wire. */
export const txtLine = (owner: string, text: string) =>
  `${owner}. TXT ${formatRdata({ type: "TXT", strings: toCharacterStrings(text) })}`;

type Row = readonly [
  why: string,
  text: string | readonly string[],
  red: readonly FindingCode[],
  also?: readonly FindingCode[],
];
type TextRow = readonly [
  why: string,
  text: string,
  red: readonly FindingCode[],
  also?: readonly FindingCode[],
];
const list = (text: string | readonly string[]) => (typeof text === "string" ? [text] : text);

/** The same rows with another text at one name. */
function textWorlds(owner: string, rows: readonly TextRow[], options: CheckOptions = BARE): BrokenWorld[] {
  return rows.map(([why, text, red, also = []]) =>
    broken(why, { without: [`${owner} TXT`], add: [txtLine(owner, text)], options, also }, ...red),
  );
}

function lineWorlds(without: readonly string[], rows: readonly Row[]): BrokenWorld[] {
  return rows.map(([why, lines, red, also = []]) => broken(why, { without, add: list(lines), also }, ...red));
}

const INCLUDED = '_s{n}.example.net. TXT "v=spf1 ip4:198.51.100.{n} -all"';
const includes = (count: number) =>
  Array.from({ length: count }, (_, at) => `include:_s${at}.example.net`).join(" ");
const included = (count: number) =>
  Array.from({ length: count }, (_, at) => INCLUDED.replaceAll("{n}", String(at)));
const apexTxt = (...texts: string[]) => texts.map((text) => txtLine("example.org", text));

const SPF = [
  ...textWorlds("example.org", [
    ["a term that is none", "v=spf1 mx ip4:192.0.2.0/33 ~all", ["spf-syntax"]],
    [
      "no space between two terms",
      "v=spf1 mx a:mail.example.org-all",
      ["spf-missing-space", "spf-no-all", "spf-void-lookup"],
    ],
    [
      "a mail address as a domain",
      "v=spf1 mx a:post@example.org ~all",
      ["spf-mail-address", "spf-void-lookup"],
    ],
    [
      "redirect twice",
      "v=spf1 redirect=_spf.example.net redirect=_spf.example.net",
      ["spf-duplicate-modifier"],
    ],
    ["a term twice", "v=spf1 mx mx ~all", [], ["spf-duplicate-term"]],
    ["an include without a record", "v=spf1 mx include:mx.example.net ~all", ["spf-include-without-record"]],
    ["a lookup that finds nothing", "v=spf1 mx a:none.example.net ~all", ["spf-void-lookup"]],
    [
      "three lookups that find nothing",
      "v=spf1 mx a:n1.example.net a:n2.example.net a:n3.example.net ~all",
      ["spf-void-lookups"],
    ],
    [
      "three hosts without IPv6",
      "v=spf1 mx a:mx.example.net a:ns1.example.org a:ns2.example.org ~all",
      ["spf-void-lookups-ipv6"],
    ],
    ["no ending", "v=spf1 mx", ["spf-no-all"]],
    ["+all", "v=spf1 mx +all", ["spf-pass-all"]],
    ["?all", "v=spf1 mx ?all", ["spf-neutral-all"]],
    ["a term behind all", "v=spf1 mx ~all a:mail.example.org", ["spf-term-after-all"]],
    ["redirect beside all", "v=spf1 mx ~all redirect=_spf.example.net", ["spf-redirect-ignored"]],
    ["two records pasted into one", "v=spf1 mx v=spf1 ip4:192.0.2.25 ~all", ["spf-second-version"]],
    ["a name that cannot be", "v=spf1 mx a:a..example ~all", ["spf-invalid-name"]],
    ["ptr", "v=spf1 mx ptr ~all", ["spf-ptr"]],
    ["the macro p", "v=spf1 mx exists:%{p}.example.net ~all", ["spf-macro-p"]],
    [
      "too long for an answer",
      `v=spf1 mx ${Array.from({ length: 30 }, (_, at) => `ip4:198.51.${at}.1`).join(" ")} ~all`,
      ["spf-size"],
    ],
    ["a term that adds nothing", "v=spf1 a:mail.example.org mx ~all", [], ["spf-redundant-term"]],
    [
      "a network within another",
      "v=spf1 mx ip4:198.51.100.0/24 ip4:198.51.100.7 ~all",
      [],
      ["spf-redundant-network"],
    ],
    ["a private address", "v=spf1 mx ip4:10.0.0.1 ~all", [], ["spf-special-address"]],
    ["a network as large as a continent", "v=spf1 mx ip4:8.0.0.0/6 ~all", ["spf-wide-network"]],
    ["an unknown modifier", "v=spf1 mx colour=blue ~all", [], ["spf-unknown-modifier"]],
    ["a damaged beginning", "v=spf1; mx ~all", ["spf-version"]],
    [
      "an address that the record does not cover",
      "v=spf1 ip4:198.51.100.7 -all",
      [],
      ["spf-address-not-covered"],
    ],
    [
      "voids that only a message shows",
      "v=spf1 exists:%{i}.a.example.net exists:%{i}.b.example.net exists:%{i}.c.example.net mx -all",
      [],
      ["spf-address-not-covered"],
    ],
  ]),
  broken("no record at all", { without: ["example.org TXT"] }, "spf-missing"),
  broken(
    "two records",
    { without: ["example.org TXT"], add: apexTxt("v=spf1 mx ~all", "v=spf1 include:_spf.example.net -all") },
    "spf-several-records",
  ),
  broken("a damaged copy", { add: apexTxt('"v=spf1 mx ~all"') }, "spf-version"),
  broken(
    "eleven lookups",
    { without: ["example.org TXT"], add: [...apexTxt(`v=spf1 ${includes(10)} mx ~all`), ...included(10)] },
    "spf-too-many-lookups",
  ),
  broken("nine lookups", {
    without: ["example.org TXT"],
    add: [...apexTxt(`v=spf1 ${includes(8)} mx ~all`), ...included(8)],
    also: ["spf-lookup-headroom"],
  }),
  broken(
    "eleven MX behind one term",
    {
      without: ["example.org TXT"],
      add: [
        ...apexTxt("v=spf1 mx:many.example.net mx ~all"),
        ...Array.from({ length: 11 }, (_, at) => `many.example.net. MX ${at} mx${at}.example.net.`),
        ...Array.from({ length: 11 }, (_, at) => `mx${at}.example.net. A 198.51.100.${at}`),
      ],
    },
    "spf-too-many-mx",
  ),
  broken(
    "an include with two records",
    { add: [txtLine("_spf.example.net", "v=spf1 -all")] },
    "spf-include-several-records",
  ),
  broken(
    "an include that is broken",
    { without: ["_spf.example.net TXT"], add: [txtLine("_spf.example.net", "v=spf1 ip4:nonsense -all")] },
    "spf-include-broken",
  ),
  broken(
    "an include that leads back",
    {
      without: ["_spf.example.net TXT"],
      add: [txtLine("_spf.example.net", "v=spf1 include:example.org -all")],
    },
    "spf-loop",
  ),
  broken(
    "a tree beyond all bounds",
    {
      without: ["_spf.example.net TXT"],
      add: [txtLine("_spf.example.net", `v=spf1 ${includes(45)} -all`), ...included(45)],
    },
    "spf-too-many-lookups",
    "spf-tree-too-large",
  ),
  broken("the dead type 99", { add: ['example.org. SPF "v=spf1 mx -all"'] }, "spf-type-99"),
  broken(
    "the dead type 99 alone",
    { without: ["example.org TXT"], add: ['example.org. SPF "v=spf1 mx -all"'] },
    "spf-missing",
    "spf-type-99",
  ),
  broken("the HELO name without a record", { without: ["mail.example.org TXT"], also: ["spf-helo-missing"] }),
  broken(
    "the HELO name with a record that refuses it",
    { without: ["mail.example.org TXT"], add: [txtLine("mail.example.org", "v=spf1 -all")] },
    "spf-helo-not-covered",
  ),
  broken(
    "only the MX may send, and the MX is somebody else's",
    {
      without: ["example.org TXT", "example.org MX"],
      add: [...apexTxt("v=spf1 mx -all"), "example.org. MX 10 mx.example.net."],
    },
    "spf-mx-not-ours",
  ),
];

const KEY_OWNER = "default._domainkey.example.org";
const spki = (bits: number, exponent = 65_537): string => {
  const modulus = Buffer.alloc(bits / 8, 0xa5);
  const e = Buffer.from(exponent.toString(16).padStart(6, "0"), "hex");
  const key = createPublicKey({
    key: { kty: "RSA", n: modulus.toString("base64url"), e: e.toString("base64url") },
    format: "jwk",
  });
  return key.export({ format: "der", type: "spki" }).toString("base64");
};
const bareRsa = createPublicKey({ key: Buffer.from(DKIM_KEY, "base64"), format: "der", type: "spki" })
  .export({ format: "der", type: "pkcs1" })
  .toString("base64");
const ed25519 = Buffer.alloc(32, 7).toString("base64");
const head = "v=DKIM1; k=rsa; p=";

const DKIM = [
  ...textWorlds(KEY_OWNER, [
    ["a revoked key", "v=DKIM1; p=", [], ["dkim-revoked"]],
    ["another version", `v=DKIM2; k=rsa; p=${DKIM_KEY}`, ["dkim-version"]],
    ["no tag list", "v=DKIM1; nonsense; p=", ["dkim-syntax"]],
    ["a tag twice", `v=DKIM1; k=rsa; k=rsa; p=${DKIM_KEY}`, ["dkim-duplicate-tag"]],
    ["two semicolons", `v=DKIM1;; k=rsa; p=${DKIM_KEY}`, ["dkim-empty-part"]],
    ["a tag in capitals", `v=DKIM1; K=rsa; p=${DKIM_KEY}`, ["dkim-tag-case"]],
    ["an unknown tag", `v=DKIM1; x=1; p=${DKIM_KEY}`, [], ["dkim-unknown-tag"]],
    ["a tag that is gone", `v=DKIM1; g=*; p=${DKIM_KEY}`, [], ["dkim-obsolete-tag"]],
    ["no key", "v=DKIM1; k=rsa", ["dkim-missing-key"]],
    ["an unknown type of key", `v=DKIM1; k=dsa; p=${DKIM_KEY}`, ["dkim-key-type"]],
    ["an RSA key that says Ed25519", `v=DKIM1; k=ed25519; p=${DKIM_KEY}`, ["dkim-key-type-mismatch"]],
    ["a letter that is not base64", `${head}${DKIM_KEY.replace("M", "*")}`, ["dkim-base64"]],
    ["base64 without its end", `v=DKIM1; k=ed25519; p=${ed25519.replace("=", "")}`, ["dkim-base64-padding"]],
    ["a blank in the key", `${head}${DKIM_KEY.slice(0, 20)} ${DKIM_KEY.slice(20)}`, ["dkim-blank-in-key"]],
    [
      "the seam of two strings",
      `${head}${DKIM_KEY.slice(0, 237)} ${DKIM_KEY.slice(237)}`,
      ["dkim-chunk-join-scar"],
    ],
    ["cut off at 255 characters", `${head}${DKIM_KEY}`.slice(0, 255), ["dkim-key-cut-off"]],
    ["octets that are no key", `${head}${Buffer.alloc(60, 1).toString("base64")}`, ["dkim-key-unreadable"]],
    [
      "an Ed25519 key in ASN.1",
      `v=DKIM1; k=ed25519; p=${Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.alloc(32, 7)]).toString("base64")}`,
      ["dkim-ed25519-encoding"],
    ],
    ["a bare RSA key", `${head}${bareRsa}`, [], ["dkim-bare-rsa-key"]],
    ["768 bits", `${head}${spki(768)}`, ["dkim-key-too-short"]],
    ["1024 bits", `${head}${spki(1024)}`, ["dkim-key-short"]],
    ["4096 bits", `${head}${spki(4096)}`, [], ["dkim-key-long"]],
    ["8192 bits", `${head}${spki(8192)}`, ["dkim-key-too-long"]],
    ["the exponent 1", `${head}${spki(2048, 1)}`, ["dkim-weak-exponent"]],
    ["stored quotation marks", `"${head}${DKIM_KEY}"`, ["dkim-stored-quotes"]],
    ["stored backslashes", `v=DKIM1\\; k=rsa\\; p=${DKIM_KEY}`, ["dkim-stored-backslash"]],
    ["SHA-1 alone", `v=DKIM1; h=sha1; p=${DKIM_KEY}`, ["dkim-only-sha1"]],
    ["SHA-1 too", `v=DKIM1; h=sha1:sha256; p=${DKIM_KEY}`, [], ["dkim-sha1-listed"]],
    ["an unknown hash alone", `v=DKIM1; h=md5; p=${DKIM_KEY}`, ["dkim-no-known-hash"]],
    ["testing", `v=DKIM1; t=y; p=${DKIM_KEY}`, ["dkim-testing"]],
    ["strict identity", `v=DKIM1; t=s; p=${DKIM_KEY}`, [], ["dkim-strict-identity"]],
    ["not for mail", `v=DKIM1; s=tlsrpt; p=${DKIM_KEY}`, ["dkim-service"]],
  ]),
  broken("no key anywhere", { without: [KEY_OWNER] }, "dkim-no-key"),
  broken("no selector that anybody would guess", {
    without: [KEY_OWNER],
    add: [txtLine("x2026._domainkey.example.org", `${head}${DKIM_KEY}`)],
    also: ["dkim-selector-unknown"],
  }),
  broken("a selector that is not there", { without: [KEY_OWNER], options: DESCRIBED }, "dkim-missing"),
  broken(
    "two keys at one name",
    { add: [txtLine(KEY_OWNER, `${head}${OTHER_DKIM_KEY}`)] },
    "dkim-several-records",
  ),
  broken(
    "a key at the apex",
    { without: [KEY_OWNER], add: apexTxt(`${head}${DKIM_KEY}`), options: DESCRIBED },
    "dkim-missing",
    "dkim-wrong-owner",
  ),
  broken(
    "a key that was entered with the domain",
    {
      without: [KEY_OWNER],
      add: [txtLine(`${KEY_OWNER}.example.org`, `${head}${DKIM_KEY}`)],
      options: DESCRIBED,
    },
    "dkim-missing",
    "dkim-wrong-owner",
    "zone-doubled-name",
  ),
  broken(
    "another key than the signer's",
    { without: [KEY_OWNER], add: [txtLine(KEY_OWNER, `${head}${OTHER_DKIM_KEY}`)], options: DESCRIBED },
    "dkim-key-differs",
  ),
  broken(
    "a key that is revoked and in use",
    { without: [KEY_OWNER], add: [txtLine(KEY_OWNER, "v=DKIM1; p=")], options: DESCRIBED },
    "dkim-signer-uses-revoked",
  ),
  broken(
    "a wildcard with a key",
    { without: [KEY_OWNER], add: [txtLine("*._domainkey.example.org", `${head}${DKIM_KEY}`)] },
    "dkim-wildcard",
  ),
  broken(
    "the private key",
    { without: [KEY_OWNER], add: [txtLine(KEY_OWNER, `${head}${PRIVATE_KEY()}`)] },
    "dkim-private-key",
  ),
];

/** An OpenDKIM that signs for example.org with one selector; `key` is what the key file holds, if it may be read. */
function signedBy(
  selector: string,
  key: string | undefined,
  options: CheckOptions = BARE,
  domain = "example.org",
): CheckOptions {
  const text = `Domain ${domain}\nSelector ${selector}\nKeyFile /keys/dkim.key\n`;
  const readFile = (): FileRead =>
    key === undefined
      ? { status: "refused", problem: "you may not read it" }
      : { status: "read", text: `-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----\n` };
  const read = readSigner("/etc/opendkim.conf", text, readFile);
  if (!read.ok) throw new Error(read.problem);
  return { ...options, signers: [signingOf(read.value, readFile, () => undefined)] };
}

const SIGNERS = [
  broken("a signer whose key is published", {
    options: signedBy("default", DKIM_KEY),
    also: ["dkim-ok", "dkim-signer-ok"],
  }),
  broken(
    "a signer whose selector is not there",
    { options: signedBy("s2026", DKIM_KEY, DESCRIBED), also: ["dkim-selector-unused"] },
    "dkim-signer-not-published",
  ),
  broken(
    "a signer whose key stands at the doubled name",
    {
      without: [KEY_OWNER],
      add: [txtLine(`${KEY_OWNER}.example.org`, `${head}${DKIM_KEY}`)],
      options: signedBy("default", DKIM_KEY),
    },
    "dkim-signer-not-published",
    "dkim-wrong-owner",
    "zone-doubled-name",
  ),
  broken("a key at a usual selector that the signer does not use", {
    add: [txtLine("dkim._domainkey.example.org", `${head}${OTHER_DKIM_KEY}`)],
    options: signedBy("default", DKIM_KEY),
    also: ["dkim-selector-unused", "dkim-signer-ok"],
  }),
  broken(
    "a signer with another key",
    { options: signedBy("default", OTHER_DKIM_KEY) },
    "dkim-signer-key-differs",
  ),
  broken(
    "a signer with another key than the description has and DNS too, which is said once",
    {
      without: [KEY_OWNER],
      add: [txtLine(KEY_OWNER, `${head}${OTHER_DKIM_KEY}`)],
      options: signedBy("default", DKIM_KEY, DESCRIBED),
    },
    "dkim-signer-key-differs",
  ),
  broken(
    "a description whose key is out of date",
    {
      without: [KEY_OWNER],
      add: [txtLine(KEY_OWNER, `${head}${OTHER_DKIM_KEY}`)],
      options: signedBy("default", OTHER_DKIM_KEY, DESCRIBED),
      also: ["dkim-signer-ok"],
    },
    "dkim-key-differs",
  ),
  broken(
    "a signer that uses a revoked key",
    {
      without: [KEY_OWNER],
      add: [txtLine(KEY_OWNER, "v=DKIM1; p=")],
      options: signedBy("default", undefined),
    },
    "dkim-signer-uses-revoked",
  ),
  broken("a key file that may not be read", {
    options: signedBy("default", undefined),
    also: ["dkim-signer-key-unread"],
  }),
  broken(
    "a signer that does not know the domain",
    { options: signedBy("default", DKIM_KEY, BARE, "example.net") },
    "dkim-signer-no-domain",
  ),
];

/** The beginning of a private key's PKCS #1 form (RFC 8017 §A.1.2), of zeros: nobody's. */
function PRIVATE_KEY(): string {
  const integer = (octets: number) =>
    Buffer.concat([
      Buffer.from([0x02, 0x82, octets >> 8, octets & 0xff, 0x01]),
      Buffer.alloc(octets - 1, 0xa5),
    ]);
  const body = Buffer.concat([
    Buffer.from([0x02, 0x01, 0x00]),
    integer(256),
    Buffer.from([0x02, 0x03, 0x01, 0x00, 0x01]),
    integer(256),
    ...Array.from({ length: 5 }, () => integer(128)),
  ]);
  return Buffer.concat([Buffer.from([0x30, 0x82, body.length >> 8, body.length & 0xff]), body]).toString(
    "base64",
  );
}

const DMARC_OWNER = "_dmarc.example.org";
const rua = "rua=mailto:dmarc@example.org";
/** For domains that take no mail themselves. */
const DMARC_ELSEWHERE = txtLine(
  DMARC_OWNER,
  "v=DMARC1; p=reject; rua=mailto:example-org@reports.example.net",
);
const DMARC = [
  ...textWorlds(DMARC_OWNER, [
    ["a wrong beginning", `v=dmarc1; p=reject; ${rua}`, ["bimi-without-dmarc", "dmarc-version"]],
    ["a colon for an equals sign", `v=DMARC1; p=reject; sp:none; ${rua}`, ["dmarc-syntax"]],
    ["tags that got lost", `v=DMARC1; p=reject;; ${rua}`, ["dmarc-empty-tags"]],
    ["a tag in capitals", `v=DMARC1; P=reject; ${rua}`, ["dmarc-tag-case"]],
    ["a tag twice", `v=DMARC1; p=reject; p=none; ${rua}`, ["dmarc-duplicate-tag"]],
    ["an unknown tag", `v=DMARC1; p=reject; x=1; ${rua}`, [], ["dmarc-unknown-tag"]],
    ["a tag that is gone", `v=DMARC1; p=reject; pct=100; ${rua}`, [], ["dmarc-removed-tag"]],
    ["p further behind", `v=DMARC1; ${rua}; p=reject`, ["dmarc-p-not-second"]],
    ["no policy", `v=DMARC1; ${rua}`, ["bimi-without-dmarc", "dmarc-policy-missing"]],
    ["a policy that is none", `v=DMARC1; p=refuse; ${rua}`, ["bimi-without-dmarc", "dmarc-invalid-policy"]],
    ["a value that is none", `v=DMARC1; p=reject; adkim=x; ${rua}`, ["dmarc-invalid-value"]],
    ["watching for ever", `v=DMARC1; p=none; ${rua}`, ["bimi-without-dmarc", "dmarc-policy-none"]],
    ["testing", `v=DMARC1; p=reject; t=y; ${rua}`, ["bimi-without-dmarc"], ["dmarc-testing"]],
    [
      "sub-domains less protected",
      `v=DMARC1; p=reject; sp=quarantine; ${rua}`,
      ["dmarc-weaker-subdomain-policy"],
    ],
    ["sp that says what p says", `v=DMARC1; p=reject; sp=reject; ${rua}`, [], ["dmarc-redundant-policy"]],
    ["strict alignment", `v=DMARC1; p=reject; adkim=s; ${rua}`, ["dmarc-strict-alignment"]],
    ["no reports", "v=DMARC1; p=reject", ["dmarc-rua-missing"]],
    ["an address without mailto:", "v=DMARC1; p=reject; rua=dmarc@example.org", ["dmarc-invalid-uri"]],
    ["reports by HTTPS", `v=DMARC1; p=reject; ${rua},https://example.org/dmarc`, ["dmarc-not-mailto"]],
    ["a size limit", `v=DMARC1; p=reject; ${rua}!10m`, [], ["dmarc-obsolete-size"]],
    ["fo without ruf", `v=DMARC1; p=reject; fo=1; ${rua}`, [], ["dmarc-fo-without-ruf"]],
    [
      "reports to a host that takes no mail",
      "v=DMARC1; p=reject; rua=mailto:d@none.example.org",
      ["dmarc-report-undeliverable"],
    ],
  ]),
  broken("no record", { without: [DMARC_OWNER, "default._bimi.example.org"] }, "dmarc-missing"),
  broken(
    "a record of the domain above",
    {
      without: [DMARC_OWNER, "default._bimi.example.org"],
      add: [txtLine("_dmarc.org", `v=DMARC1; p=reject; psd=y; ${rua}`)],
      also: ["dmarc-inherited"],
    },
    "dmarc-public-suffix-differs",
  ),
  broken(
    "two records",
    { add: [txtLine(DMARC_OWNER, `v=DMARC1; p=reject; ${rua}`)] },
    "bimi-without-dmarc",
    "dmarc-several-records",
  ),
  broken("a foreign text", { add: [txtLine(DMARC_OWNER, "hello")] }, "dmarc-unrelated-txt"),
  broken("a damaged copy", { add: [txtLine(DMARC_OWNER, `"v=DMARC1; p=none"`)] }, "dmarc-version"),
  broken(
    "a record at the apex",
    { without: [DMARC_OWNER, "default._bimi.example.org"], add: apexTxt(`v=DMARC1; p=quarantine; ${rua}`) },
    "dmarc-wrong-owner",
  ),
  broken(
    "an alias beside the record",
    { add: ["_dmarc.example.org. CNAME _dmarc.example.net."] },
    "dmarc-cname-and-txt",
  ),
  broken(
    "reports to somebody who has not agreed",
    { without: ["example.org._report._dmarc.reports.example.net"] },
    "dmarc-report-unauthorized",
  ),
  broken(
    "reports to a null MX",
    { without: ["reports.example.net MX"], add: ["reports.example.net. MX 0 ."] },
    "dmarc-report-undeliverable",
  ),
  broken(
    "neither SPF nor DKIM",
    { without: ["example.org TXT", KEY_OWNER] },
    "dkim-no-key",
    "dmarc-without-authentication",
    "spf-missing",
  ),
  broken(
    "p=reject with SPF alone",
    { without: [DMARC_OWNER, KEY_OWNER], add: [txtLine(DMARC_OWNER, `v=DMARC1; p=reject; ${rua}`)] },
    "dkim-no-key",
    "dmarc-reject-on-spf-alone",
  ),
  broken(
    "another record than the description's",
    { without: [DMARC_OWNER], add: [txtLine(DMARC_OWNER, `v=DMARC1; p=reject; ${rua}`)], options: DESCRIBED },
    "dmarc-differs",
  ),
];

const TRANSPORT = [
  ...textWorlds("_mta-sts.example.org", [
    ["a wrong beginning", "v=STSV1; id=1;", ["mta-sts-version"]],
    ["no id", "v=STSv1;", ["mta-sts-id"]],
    ["an id twice", "v=STSv1; id=1; id=2;", ["mta-sts-duplicate-id"]],
    ["an empty part", "v=STSv1;; id=1;", ["mta-sts-syntax"]],
    ["an unknown field", "v=STSv1; id=1; x=y;", [], ["mta-sts-unknown-field"]],
  ]),
  broken(
    "two records",
    { add: [txtLine("_mta-sts.example.org", "v=STSv1; id=1;")] },
    "mta-sts-several-records",
  ),
  broken("no record", { without: ["_mta-sts.example.org"], also: ["mta-sts-missing"] }),
  broken("no host for the policy", { without: ["mta-sts.example.org"] }, "mta-sts-no-policy-host"),
  ...textWorlds("_smtp._tls.example.org", [
    ["a wrong beginning", "v=TLSRPTV1; rua=mailto:tls@example.org", ["tls-rpt-version"]],
    ["no destination", "v=TLSRPTv1; x=1", ["tls-rpt-rua"]],
    [
      "rua twice",
      "v=TLSRPTv1; rua=mailto:tls@example.org; rua=mailto:tls@example.org",
      ["tls-rpt-duplicate-rua"],
    ],
    ["an empty part", "v=TLSRPTv1;; rua=mailto:tls@example.org", ["tls-rpt-syntax"]],
    ["an unknown field", "v=TLSRPTv1; rua=mailto:tls@example.org; x=y", [], ["tls-rpt-unknown-field"]],
    ["an address that is none", "v=TLSRPTv1; rua=tls@example.org", ["tls-rpt-uri"]],
  ]),
  broken(
    "two records",
    { add: [txtLine("_smtp._tls.example.org", "v=TLSRPTv1; rua=mailto:a@example.org")] },
    "tls-rpt-several-records",
  ),
  broken("no record", { without: ["_smtp._tls.example.org"], also: ["tls-rpt-missing"] }),
  ...lineWorlds(
    ["_25._tcp.mail.example.org TLSA"],
    (
      [
        ["a usage without meaning", `4 1 1 ${"0b".repeat(32)}`, ["tlsa-unknown-usage"]],
        ["a selector without meaning", `3 2 1 ${"0b".repeat(32)}`, ["tlsa-unknown-selector"]],
        ["a matching type without meaning", `3 1 3 ${"0b".repeat(32)}`, ["tlsa-unknown-matching-type"]],
        ["a public authority", `1 1 1 ${"0b".repeat(32)}`, ["tlsa-pkix-usage"]],
        ["a digest that is too short", `3 1 1 ${"0b".repeat(20)}`, ["tlsa-digest-length"]],
        ["data that is no key", `3 1 0 ${"0b".repeat(32)}`, ["tlsa-unreadable-data"]],
        ["a whole key", `3 1 0 ${Buffer.from(DKIM_KEY, "base64").toString("hex")}`, ["tlsa-full-data"]],
        ["SHA-512", `3 1 2 ${"0b".repeat(64)}`, [], ["tlsa-sha512"]],
        ["a whole certificate's digest", `3 0 1 ${"0b".repeat(32)}`, ["tlsa-whole-certificate"]],
        ["an authority's key", `2 1 1 ${"0b".repeat(32)}`, [], ["tlsa-authority-key", "tlsa-not-preferred"]],
      ] as const
    ).map(([why, data, red, also]) => [why, `_25._tcp.mail.example.org. TLSA ${data}`, red, also ?? []]),
  ),
  broken("TLSA in an unsigned zone", { without: ["_25._tcp.mail.example.org RRSIG"] }, "tlsa-without-dnssec"),
];

const CAA = lineWorlds(
  ["example.org CAA"],
  (
    [
      ["an account that is no URI", ['0 issue "ca.example; accounturi=none"'], ["caa-account"]],
      ["an address without mailto:", ['0 issue "ca.example"', '0 iodef "post@example.org"'], ["caa-iodef"]],
      ["a web address for an authority", ['0 issue "https://ca.example"'], ["caa-malformed"]],
      ["nobody beside somebody", ['0 issue "ca.example"', '0 issue ";"'], ["caa-nobody-beside-issuer"]],
      [
        "a tag of another purpose",
        ['0 issue "ca.example"', '0 contactemail "post@example.org"'],
        [],
        ["caa-other-purpose"],
      ],
      [
        "parameters without an authority",
        ['0 issue "; accounturi=https://ca.example/1"'],
        ["caa-parameters-alone"],
      ],
      ["a reserved flag", ['1 issue "ca.example"'], ["caa-reserved-flags"]],
      ["nobody restricted", ['0 iodef "mailto:post@example.org"'], [], ["caa-restricts-nobody"]],
      ["a tag in capitals", ['0 Issue "ca.example"'], [], ["caa-tag-case"]],
      ["an unknown critical tag", ['0 issue "ca.example"', '128 future "x"'], ["caa-unknown-critical"]],
      ["an unknown tag", ['0 issue "ca.example"', '0 future "x"'], ["caa-unknown-tag"]],
      ["methods that are none", ['0 issue "ca.example; validationmethods=dns 01"'], ["caa-malformed"]],
      ["an empty method", ['0 issue "ca.example; validationmethods=,"'], ["caa-validation-methods"]],
      ["no records", [], [], ["caa-missing"]],
    ] as const
  ).map(([why, lines, red, also]) => [why, lines.map((data) => `example.org. CAA ${data}`), red, also ?? []]),
);

const CLIENTS = [
  ...lineWorlds(
    ["_imaps._tcp.example.org SRV"],
    (
      [
        ["a service that is off", ["0 0 0 ."], [], ["srv-not-offered"]],
        ["off, and yet on", ["0 0 0 .", "0 1 993 mail.example.org."], ["srv-not-offered-beside-others"]],
        ["off with a port", ["0 0 993 ."], [], ["srv-not-offered-port"]],
        ["port 0", ["0 1 0 mail.example.org."], ["srv-port-zero"]],
        ["another service's port", ["0 1 995 mail.example.org."], ["srv-wrong-port"]],
        ["an unusual port", ["0 1 9930 mail.example.org."], [], ["srv-unusual-port"]],
        ["an address for a target", ["0 1 993 192.0.2.25."], ["srv-target-address"]],
        ["a target of one label", ["0 1 993 mail."], ["srv-target-name"]],
        ["a target with the domain twice", ["0 1 993 mail.example.org.example.org."], ["srv-target-doubled"]],
        ["an alias for a target", ["0 1 993 autoconfig.example.org."], ["srv-target-is-alias"]],
        ["a target without address", ["0 1 993 none.example.org."], ["srv-target-no-address"]],
      ] as const
    ).map(([why, lines, red, also]) => [
      why,
      lines.map((data) => `_imaps._tcp.example.org. SRV ${data}`),
      red,
      also ?? [],
    ]),
  ),
  ...textWorlds("default._bimi.example.org", [
    ["whose picture", "v=BIMI1; l=https://example.org/l.svg; avp=mine", ["bimi-avatar-preference"]],
    [
      "a tag twice",
      "v=BIMI1; l=https://example.org/l.svg; l=https://example.org/l.svg",
      ["bimi-duplicate-tag"],
    ],
    ["evidence alone", "v=BIMI1; l=; a=https://example.org/c.pem", ["bimi-evidence-alone"]],
    ["no logo, on purpose", "v=BIMI1; l=; a=;", [], ["bimi-declined"]],
    ["not an SVG", "v=BIMI1; l=https://example.org/l.png", ["bimi-format"]],
    ["no place", "v=BIMI1; a=", ["bimi-location"]],
    ["no tag list", "v=BIMI1; nonsense; l=https://example.org/l.svg", ["bimi-syntax"]],
    ["an unknown tag", "v=BIMI1; l=https://example.org/l.svg; x=1", [], ["bimi-unknown-tag"]],
    ["without TLS", "v=BIMI1; l=http://example.org/l.svg", ["bimi-uri"]],
    ["a wrong beginning", "v=bimi1; l=https://example.org/l.svg", ["bimi-version"]],
  ]),
  broken(
    "two records",
    { add: [txtLine("default._bimi.example.org", "v=BIMI1; l=; a=;")] },
    "bimi-several-records",
  ),
];

const MX = [
  ...lineWorlds(
    ["example.org MX"],
    (
      [
        ["an address", "10 192.0.2.25.", ["mx-is-address"]],
        ["an address with the domain behind it", "10 192.0.2.25.example.org.", ["mx-is-address"]],
        ["an IPv6 address", "10 2001:db8::25.", ["mx-is-address"]],
        ["an alias", "10 autoconfig.example.org.", ["mx-is-alias"]],
        ["a host that does not exist", "10 none.example.org.", ["mx-host-no-address"]],
        ["the domain twice", "10 mail.example.org.example.org.", ["zone-doubled-name"]],
      ] as const
    ).map(([why, data, red]) => [why, `example.org. MX ${data}`, red]),
  ),
  broken("the same server twice", { add: ["example.org. MX 20 mail.example.org."] }, "mx-duplicate"),
  broken("equal preferences", {
    add: [
      "example.org. MX 10 mx2.example.org.",
      "mx2.example.org. A 192.0.2.26",
      'mx2.example.org. TXT "v=spf1 a -all"',
      "26.2.0.192.in-addr.arpa. PTR mx2.example.org.",
    ],
    also: ["mx-load-shared", "host-no-ipv6"],
  }),
  broken(
    "more servers than anybody tries",
    {
      without: ["example.org TXT"],
      add: [
        ...apexTxt("v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 ~all"),
        ...Array.from({ length: 40 }, (_, at) => `example.org. MX ${20 + at} m${at}.example.net.`),
        ...Array.from({ length: 40 }, (_, at) => `m${at}.example.net. A 198.51.100.${at}`),
      ],
    },
    "mx-too-many",
  ),
  broken(
    "no MX, and the web server is another machine",
    { without: ["example.org MX"] },
    "mx-fallback-elsewhere",
    "spf-void-lookup",
  ),
  broken(
    "no MX, and the address is the mail server's",
    { without: ["example.org MX", "example.org A"], add: ["example.org. A 192.0.2.25"] },
    "mx-missing",
    "spf-void-lookup",
  ),
  broken(
    "no MX, and no address either",
    { without: ["example.org MX", "example.org A"] },
    "dmarc-report-undeliverable",
    "mx-missing",
    "spf-void-lookup",
  ),
  broken("a null MX", {
    without: ["example.org MX", DMARC_OWNER],
    add: ["example.org. MX 0 .", DMARC_ELSEWHERE],
    also: ["mx-null"],
  }),
  broken("a null MX beside another", { add: ["example.org. MX 0 ."] }, "mx-null-not-alone"),
  broken("a null MX with a preference", {
    without: ["example.org MX", DMARC_OWNER],
    add: ["example.org. MX 10 .", DMARC_ELSEWHERE],
    also: ["mx-null-preference"],
  }),
  broken(
    "another server than the description's",
    { without: ["example.org MX"], add: ["example.org. MX 10 mx.example.net."], options: DESCRIBED },
    "mx-differs",
  ),
  broken(
    "another order than the description's",
    { without: ["example.org MX"], add: ["example.org. MX 5 mail.example.org."], options: DESCRIBED },
    "mx-differs",
  ),
];

const DYNAMIC = optionsOf(DESCRIPTION.replace("    tlsa:", "    addressKind: dynamic\n    tlsa:"));
const ADDRESSES = [
  broken("no IPv6", { without: ["mail.example.org AAAA"], also: ["host-no-ipv6"] }),
  broken(
    "a private address",
    { without: ["mail.example.org A"], add: ["mail.example.org. A 192.168.1.5"] },
    "address-special",
  ),
  broken(
    "the address of a tutorial",
    {
      without: ["mail.example.org A"],
      add: ["mail.example.org. A 1.2.3.4", "4.3.2.1.in-addr.arpa. PTR mail.example.org."],
    },
    "address-example",
  ),
  broken(
    "another address than the description's",
    {
      without: ["mail.example.org A"],
      add: ["mail.example.org. A 198.51.100.99"],
      options: DESCRIBED,
    },
    "host-address-differs",
    "ptr-not-confirmed",
    "spf-helo-not-covered",
  ),
  broken(
    "a TTL of a week",
    { without: ["mail.example.org A"], add: ["mail.example.org. 604800 A 192.0.2.25"] },
    "ttl-too-long",
  ),
  broken(
    "a TTL of a minute",
    { without: ["mail.example.org A"], add: ["mail.example.org. 60 A 192.0.2.25"], options: DESCRIBED },
    "ttl-too-short",
  ),
  broken("a TTL of an hour for an address that changes", { options: DYNAMIC }, "ttl-too-long-for-dynamic"),
];

const PTR4 = "25.2.0.192.in-addr.arpa";
const REVERSE = [
  broken("no PTR", { without: [PTR4] }, "ptr-missing"),
  broken(
    "a PTR that does not lead back",
    { without: [PTR4], add: [`${PTR4}. PTR mx.example.net.`] },
    "ptr-not-confirmed",
  ),
  broken(
    "a PTR of another name",
    { without: [PTR4], add: [`${PTR4}. PTR box.example.org.`, "box.example.org. A 192.0.2.25"] },
    "ptr-other-name",
  ),
  broken(
    "a provider's name",
    {
      without: [PTR4],
      add: [`${PTR4}. PTR static-192-0-2-25.example.net.`, "static-192-0-2-25.example.net. A 192.0.2.25"],
    },
    "ptr-generic",
  ),
  broken("two names", { add: [`${PTR4}. PTR example.org.`], also: ["ptr-multiple"] }),
];

const NS1 = "ns1.example.org";
const SILENT_DESCRIPTION = `domains:
  - domain: example.org
    receives: false
    sends: false
`;
const SILENT = optionsOf(SILENT_DESCRIPTION);
const SILENT_ZONE = [
  "example.org. A 192.0.2.80",
  ...SILENT.derived!.records.map(({ record }) => zoneLine(record)),
];
const SERVERS_ONLY = edited(HEALTHY, { without: ["example.org DS"] })
  .split("\n")
  .filter((line) => / (SOA|NS) |^ns\d/.test(line));

/** A domain that neither sends nor receives, as its description derives it. */
export const SILENT_WORLD = { zone: [...SERVERS_ONLY, ...SILENT_ZONE].join("\n"), options: SILENT };

const NO_MAIL: readonly BrokenWorld[] = (
  [
    ["no fault", [], [], []],
    ["no null MX", ["example.org MX"], [], ["mx-null-missing"]],
    [
      "an MX",
      ["example.org MX"],
      [
        "example.org. MX 10 mx.example.org.",
        "mx.example.org. A 192.0.2.25",
        `25.2.0.192.in-addr.arpa. PTR mx.example.org.`,
      ],
      ["mx-differs"],
    ],
    ["somebody may send", ["example.org TXT"], apexTxt("v=spf1 mx ~all"), ["spf-differs"]],
  ] as const
).map(([why, without, add, red]) => ({
  why: `a domain without mail: ${why}`,
  rows: { zone: edited(SILENT_WORLD.zone, { without, add }) },
  options: SILENT,
  domain: DOMAIN,
  red,
  also: [],
}));

const ZONE = [
  broken("a domain that does not exist", { domain: "none.example.org" }, "zone-not-found"),
  broken(
    "a domain that leaves no room",
    { domain: `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(40)}` },
    "zone-name-too-long",
  ),
  broken(
    "a CNAME at the apex",
    {
      without: ["example.org MX", "example.org TXT", "example.org A", "example.org CAA"],
      add: [
        "example.org. CNAME www.example.net.",
        "www.example.net. A 192.0.2.80",
        "www.example.net. MX 10 mail.example.org.",
        txtLine("www.example.net", "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all"),
      ],
    },
    "zone-apex-cname",
  ),
  broken(
    "a domain that is an alias",
    {
      domain: "sub.example.org",
      add: ["sub.example.org. CNAME example.org."],
    },
    "dkim-no-key",
    "zone-cname-domain",
  ),
  broken(
    "a lame server",
    { rows: { servers: { "ns2.example.org": { state: "lame" } } } },
    "zone-lame-server",
  ),
  broken(
    "a silent server",
    { rows: { servers: { "ns2.example.org": { state: "unknown" } } } },
    "zone-server-silent",
  ),
  broken(
    "a name server without address",
    { rows: { unresolvable: { "ns3.example.org": "no such name" } } },
    "zone-ns-no-address",
  ),
  broken(
    "a name server that is an alias",
    {
      without: ["example.org NS"],
      add: [
        "example.org. NS ns1.example.org.",
        "example.org. NS ns3.example.org.",
        "ns3.example.org. CNAME ns2.example.org.",
      ],
    },
    "zone-ns-is-alias",
  ),
  broken("another delegation", { rows: { delegatedTo: [NS1, "ns9.example.net"] } }, "zone-ns-mismatch"),
  broken(
    "one server behind",
    { rows: { servers: { "ns2.example.org": { zone: HEALTHY.replace("2026112101", "2026112100") } } } },
    "zone-serials-differ",
  ),
  broken("a single server", {
    without: ["example.org NS"],
    add: [`example.org. NS ${NS1}.`],
    also: ["zone-single-server"],
  }),
  broken(
    "one server with other mail servers",
    {
      rows: {
        servers: {
          "ns2.example.org": { zone: HEALTHY.replace("MX 10 mail.example.org.", "MX 10 old.example.org.") },
        },
      },
    },
    "servers-differ",
  ),
  broken(
    "one server without the MX",
    { rows: { servers: { "ns1.example.org": { zone: edited(HEALTHY, { without: ["example.org MX"] }) } } } },
    "servers-differ",
  ),
  broken(
    "a resolver with an older answer",
    { rows: { resolvers: [{ label: "192.0.2.1", zone: edited(HEALTHY, { without: ["example.org MX"] }) }] } },
    "resolver-differs",
  ),
  broken(
    "a resolver that refuses to validate",
    { rows: { resolvers: [{ label: "192.0.2.1", failing: { "example.org MX": "bogus" } }] } },
    "dnssec-bogus",
  ),
  broken(
    "one record that does not validate",
    { rows: { resolvers: [{ label: "192.0.2.1", failing: { "_dmarc.example.org TXT": "bogus" } }] } },
    "dnssec-bogus",
  ),
  broken("a wildcard", { add: ["*.example.org. A 192.0.2.80"], also: ["zone-wildcard"] }),
  broken(
    "a wildcard for names with a meaning",
    { without: ["autoconfig.example.org"], add: ["*.example.org. A 192.0.2.80"] },
    "zone-wildcard",
  ),
  broken(
    "a record at the doubled name",
    { add: ["mail.example.org.example.org. A 192.0.2.25"] },
    "zone-doubled-name",
  ),
  broken("unsigned", { without: ["example.org DS", "_25._tcp.mail.example.org"], also: ["dnssec-unsigned"] }),
  broken(
    "a DS for another key",
    { without: ["example.org DS"], add: [`example.org. DS 1 13 2 ${"00".repeat(32)}`] },
    "dnssec-ds-without-key",
  ),
  broken("no signatures", { without: ["example.org RRSIG"] }, "dnssec-signature-missing"),
  broken(
    "signatures that ran out",
    { without: ["example.org RRSIG"], add: [signature("example.org", "SOA", "20261120000000")] },
    "dnssec-signature-expired",
  ),
  broken(
    "signatures of ten hours more",
    { without: ["example.org RRSIG"], add: [signature("example.org", "SOA", "20261121220000")] },
    "dnssec-signature-expiring",
  ),
];

/** The current key and the next one (RFC 7671 §8.1). */
const ROLLOVER = optionsOf(
  DESCRIPTION.replace(/(\n +- record: 3 1 1 )\S+/, (line, start) => `${line}${start}${"0c".repeat(32)}`),
);
const DRIFT = [
  broken("the next TLSA of a pair, not yet there", { options: ROLLOVER, also: ["record-missing"] }),
  broken("a described record that is not there", {
    without: ["autodiscover.example.org"],
    options: DESCRIBED,
    also: ["record-missing"],
  }),
  broken(
    "a described record that is another",
    {
      without: ["_smtp._tls.example.org"],
      add: [txtLine("_smtp._tls.example.org", "v=TLSRPTv1; rua=mailto:old@example.org")],
      options: DESCRIBED,
    },
    "record-differs",
  ),
  broken("an SPF record that lacks a term of the description", {
    without: ["example.org TXT"],
    add: apexTxt("v=spf1 mx include:_spf.example.net ~all", "some-site-verification=0123456789"),
    options: DESCRIBED,
    also: ["spf-differs"],
  }),
  broken(
    "an address of the description that may not send",
    {
      without: ["example.org TXT"],
      add: apexTxt(
        "v=spf1 ip6:2001:db8::25 include:_spf.example.net ~all",
        "some-site-verification=0123456789",
      ),
      options: DESCRIBED,
    },
    "spf-address-not-covered",
  ),
];

/** The zone on the name servers of others. */
const hostedAt = (...nameServers: string[]): Pick<Edit, "without" | "add"> => ({
  without: ["example.org NS"],
  add: nameServers.flatMap((server, at) => [
    `example.org. NS ${server}.`,
    `${server}. A 198.51.100.${60 + at}`,
  ]),
});
const CLOUDFLARE = hostedAt("ada.ns.cloudflare.com", "bob.ns.cloudflare.com");
const DIGITALOCEAN = hostedAt("ns1.digitalocean.com", "ns2.digitalocean.com");
const HOSTS = [
  broken("a known host of the DNS", { ...CLOUDFLARE, also: ["dns-host"] }),
  broken("two hosts that share the DNS", {
    ...hostedAt("ada.ns.cloudflare.com", "ns1.digitalocean.com"),
    also: ["dns-host"],
  }),
  broken("a host that cannot hold what the description asks for", {
    without: [...DIGITALOCEAN.without!, "_25._tcp.mail.example.org TLSA"],
    add: DIGITALOCEAN.add!,
    options: DESCRIBED,
    also: ["dns-host", "dns-host-cannot-store", "record-missing"],
  }),
];

export const BROKEN_WORLDS: readonly BrokenWorld[] = [
  {
    why: "a domain without mail, of which nothing is known",
    rows: { zone: SILENT_WORLD.zone },
    options: BARE,
    domain: DOMAIN,
    red: ["dmarc-rua-missing"],
    also: ["dkim-all-revoked", "mx-null"],
  },
  ...NO_MAIL,
  ...ZONE,
  ...HOSTS,
  ...MX,
  ...ADDRESSES,
  ...REVERSE,
  ...SPF,
  ...DKIM,
  ...SIGNERS,
  ...DMARC,
  ...TRANSPORT,
  ...CAA,
  ...CLIENTS,
  ...DRIFT,
];
