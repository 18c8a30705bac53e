/** Signed mail with octets changed, cut, doubled and swapped: nothing throws, and nothing passes that was not signed. */
import { expect, it } from "vitest";
import { readArcSets } from "../src/standards/arc/arc-set.ts";
import { ArcSealer } from "../src/standards/arc/seal.ts";
import { ArcValidator } from "../src/standards/arc/validate.ts";
import { forgedOccurrences } from "../src/standards/auth-results/forged.ts";
import { parseAuthenticationResults } from "../src/standards/auth-results/header.ts";
import { BodyHasher } from "../src/standards/dkim/body-hash.ts";
import { DkimKeyRing } from "../src/standards/dkim/key-lookup.ts";
import { indexFields } from "../src/standards/dkim/signed-fields.ts";
import { DkimVerifier } from "../src/standards/dkim/verify.ts";
import { authorDomainsOf } from "../src/standards/message/address-list.ts";
import { type HeaderField, headerField } from "../src/standards/message/header-field.ts";
import { wireOctets } from "./support/awkward-mail.ts";
import { type Chance, chance, pick } from "./support/chance.ts";
import { signMail } from "./support/dkim-mail.ts";
import { PEER_KEYS, readMail } from "./support/dkim-peers.ts";
import { type MailText, mailText } from "./support/mail-text.ts";
import { tableResolver, txt } from "./support/table-resolver.ts";

const SEED = Number(process.env["MUTATION_SEED"] ?? 20_261_121);
const MUTATIONS = 200_000;
/** RSA is slower, and its octets are changed as those of Ed25519 are. */
const { ed } = PEER_KEYS;
const DNS = tableResolver({ [ed.owner]: [txt(ed.recordText)] });
const NOW = new Date("2026-11-21T12:00:00Z");
const KEYS = new DkimKeyRing();

const PLAIN = mailText(
  [
    "Received: from a.example.net by mx.example.org; Sat, 21 Nov 2026 12:00:00 +0000",
    'From: "Ann, of  Example" <ann@example.org>',
    "To: bob@example.net,",
    "\t carol@example.net ",
    "Subject: grüße  ",
    "Authentication-Results: mx.example.net; spf=pass (a comment) smtp.mailfrom=ann@example.org",
    "",
    "Hello  Bob, ",
    "",
    "\tgrüße",
    "",
    "",
  ].join("\n"),
);

/** The rule of RFC 6376 §3.4 once more, in another way: on whole texts, by substitution. */
const oracle = {
  field({ name, value }: HeaderField, relaxed: boolean): string {
    if (!relaxed) return `${name}:${value}`;
    const one = value.replace(/\r\n(?=[ \t])/g, "").replace(/[ \t]+/g, " ");
    return `${name.replace(/[ \t]+$/, "").toLowerCase()}:${one.replace(/^ /, "").replace(/ $/, "")}`;
  },
  body(text: string, relaxed: boolean): string {
    const lines = text.split("\r\n");
    if (relaxed)
      for (const [at, line] of lines.entries()) lines[at] = line.replace(/[ \t]+/g, " ").replace(/ $/, "");
    while (lines.at(-1) === "") lines.pop();
    const kept = lines.map((line) => `${line}\r\n`).join("");
    return kept === "" && !relaxed ? "\r\n" : kept;
  },
  tag: (value: string, name: string): string | undefined =>
    new RegExp(`(?:^|;)[ \\t\\r\\n]*${name}[ \\t\\r\\n]*=([^;]*)`).exec(value)?.[1],
  bare: (field: HeaderField): HeaderField => ({
    ...field,
    value: field.value.replace(/((?:^|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*/, "$1"),
  }),
  /** All that a signature vouches for, its own field without b= at the end. */
  signed({ fields, body }: MailText, signature: HeaderField): string {
    const [header, text] = (this.tag(signature.value, "c") ?? "simple/simple").trim().split("/");
    const left = [...fields];
    const picked: string[] = [];
    for (const name of (this.tag(signature.value, "h") ?? "").split(":")) {
      const key = name.trim().toLowerCase();
      const at = left.findLastIndex((field) => field.name.trim().toLowerCase() === key);
      if (at >= 0) picked.push(...left.splice(at, 1).map((field) => this.field(field, header === "relaxed")));
    }
    picked.push(this.field(this.bare(signature), header === "relaxed"));
    return `${picked.join("\r\n")}\r\n\r\n${this.body(body.toString("latin1"), text === "relaxed")}`;
  },
  /** Of b=, without the blanks that do not count. */
  data(signature: HeaderField): string {
    return (this.tag(signature.value, "b") ?? "").replace(/\r\n(?=[ \t])|[ \t]/g, "");
  },
  /** All that the seals of a chain vouch for. */
  sealed(fields: readonly HeaderField[], stations: number): string {
    const texts: string[] = [];
    for (let station = 1; station <= stations; station++)
      for (const kind of ["arc-authentication-results", "arc-message-signature", "arc-seal"]) {
        const isOfStation = new RegExp(
          `^[ \\t\\r\\n]*i[ \\t\\r\\n]*=[ \\t\\r\\n]*0?${station}[ \\t\\r\\n]*;`,
        );
        const found = fields.find(
          ({ name, value }) => name.trim().toLowerCase() === kind && isOfStation.test(value),
        )!;
        const isLast = station === stations && kind === "arc-seal";
        texts.push(this.field(isLast ? this.bare(found) : found, true));
      }
    return texts.join("\r\n");
  },
};

interface Base {
  readonly octets: Buffer;
  /** What may pass. */
  readonly signed: ReadonlySet<string>;
  /** The b= of each signature. */
  readonly whole: ReadonlySet<string>;
  readonly sealed: readonly string[];
}

async function bases(): Promise<readonly Base[]> {
  const made: MailText[] = [];
  for (const headerCanonicalization of ["simple", "relaxed"] as const)
    for (const bodyCanonicalization of ["simple", "relaxed"] as const)
      made.push(await signMail(PLAIN, [ed], { headerCanonicalization, bodyCanonicalization, now: NOW }));
  let chain = made[3]!;
  for (const station of [1, 2]) {
    const hasher = new BodyHasher();
    const sealer = new ArcSealer(hasher, { key: ed, now: NOW });
    hasher.update(chain.body);
    hasher.finish();
    const index = indexFields(chain.fields);
    const set = await sealer.finish({
      index,
      before: readArcSets(index),
      chainStatus: station === 1 ? "none" : "pass",
      authenticationResults: `mx${station}.example.org; dkim=pass header.d=example.org`,
    });
    chain = { ...chain, fields: [...set!, ...chain.fields] };
  }
  return [...made, chain].map((mail) => ({
    octets: wireOctets(mail),
    signed: new Set(
      mail.fields
        .filter(({ key }) => key === "dkim-signature" || key === "arc-message-signature")
        .map((field) => oracle.signed(mail, field)),
    ),
    whole: new Set(mail.fields.map((field) => oracle.data(field)).filter((data) => data !== "")),
    sealed: mail === chain ? ["", oracle.sealed(mail.fields, 1), oracle.sealed(mail.fields, 2)] : [],
  }));
}

const PIECES = [
  "\r\n",
  "\n",
  "\r",
  " ",
  "\t",
  "\0",
  "\xff",
  ";",
  "=",
  ":",
  '"',
  "(",
  ")",
  "<",
  "\\",
  "\r\n ",
  "\r\n\r\n",
  "l=1;",
  "i=3;",
  "h=",
  "b=",
  "c=relaxed/relaxed;",
  "From: mallory@example.net\r\n",
  "DKIM-Signature: v=1; a=rsa-sha256; b=\r\n",
  "ARC-Seal: i=1; cv=none\r\n",
].map((piece) => Buffer.from(piece, "latin1"));

/** One change; positions near line ends and in the header are as likely as others. */
function mutated(below: Chance, octets: Buffer): Buffer {
  const at = below(octets.length);
  const to = Math.min(at + 1 + below(below(3) === 0 ? 400 : 8), octets.length);
  switch (below(8)) {
    case 0: {
      const copy = Buffer.from(octets);
      copy[at] = copy[at]! ^ (1 << below(8));
      return copy;
    }
    case 1:
      return Buffer.concat([octets.subarray(0, at), octets.subarray(to)]);
    case 2:
      return Buffer.concat([octets.subarray(0, to), octets.subarray(at)]);
    case 3:
    case 4:
      return Buffer.concat([octets.subarray(0, at), pick(below, PIECES), octets.subarray(at)]);
    case 5:
      return below(10) === 0 ? octets.subarray(0, at) : swappedCase(octets, at, to);
    default:
      return withFieldsMoved(below, octets);
  }
}

function swappedCase(octets: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.from(octets);
  for (let at = from; at < to; at++) if (/[A-Za-z]/.test(String.fromCharCode(copy[at]!))) copy[at]! ^= 0x20;
  return copy;
}

function withFieldsMoved(below: Chance, octets: Buffer): Buffer {
  const { fields, body } = readMail(octets);
  const moved = [...fields];
  if (moved.length > 0) {
    const [field] = moved.splice(below(moved.length), 1);
    const way = below(4);
    if (way > 0) moved.splice(below(moved.length + 1), 0, field!);
    if (way === 2) moved.splice(below(moved.length + 1), 0, field!);
    if (way === 3) moved.splice(below(moved.length + 1), 0, headerField(field!.name, " another"));
  }
  return wireOctets({ fields: moved, body });
}

it(`of ${MUTATIONS} changed messages those pass whose signed content is as it was`, {
  timeout: 300_000,
}, async () => {
  const originals = await bases();
  const below = chance(SEED);
  const counts = { passes: 0, failures: 0, chains: 0, brokenChains: 0 };
  const wrong: string[] = [];
  for (let round = 0; round < MUTATIONS; round++) {
    // A chain has many signatures, which take most of the time.
    const base = originals[round % 12 === 0 ? 4 : round % 4]!;
    let octets = base.octets;
    for (let changes = 1 + below(4); changes > 0 && octets.length > 0; changes--)
      octets = mutated(below, octets);
    const mail = readMail(octets);
    const index = indexFields(mail.fields);
    const hasher = new BodyHasher();
    const dkim = new DkimVerifier(index, hasher, { resolver: DNS, keys: KEYS, now: NOW });
    const arc = new ArcValidator(index, hasher, { resolver: DNS, keys: KEYS });
    const cut = below(mail.body.length + 1);
    hasher.update(mail.body.subarray(0, cut));
    hasher.update(mail.body.subarray(cut));
    hasher.finish();
    forgedOccurrences(mail.fields, ["mx.example.net"]);
    authorDomainsOf(index.get("from") ?? []);
    for (const { value } of index.get("authentication-results") ?? []) parseAuthenticationResults(value);
    const complain = (words: string) => {
      if (wrong.length < 10)
        wrong.push(`round ${round} of ${SEED}: ${words} ${JSON.stringify(octets.toString("latin1"))}`);
    };
    for (const { result, field } of await dkim.finish()) {
      if (result === "pass") {
        counts.passes++;
        if (!base.signed.has(oracle.signed(mail, field))) complain("a signature passes that nobody made:");
      } else {
        counts.failures++;
        const isWhole = round % 4 === 0 && base.whole.has(oracle.data(field));
        if (isWhole && base.signed.has(oracle.signed(mail, field)))
          complain(`a signature comes to ${result} whose content is as it was:`);
      }
    }
    const chain = await arc.finish();
    if (chain.result === "pass") {
      counts.chains++;
      const stations = chain.sets.length;
      const newest = (index.get("arc-message-signature") ?? []).find(({ value }) =>
        new RegExp(`^[ \\t\\r\\n]*i[ \\t\\r\\n]*=[ \\t\\r\\n]*0?${stations}[ \\t\\r\\n]*;`).test(value),
      )!;
      if (oracle.sealed(mail.fields, stations) !== base.sealed[stations])
        complain("a chain passes that nobody sealed:");
      if (!base.signed.has(oracle.signed(mail, newest))) complain("a chain passes that nobody signed:");
    } else if (chain.result === "fail") {
      counts.brokenChains++;
    }
  }
  expect(wrong).toEqual([]);
  // Many changes touch nothing that is signed, or nothing that counts: both ends are there.
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(MUTATIONS / 1_000);
  if (process.env["FIGURES"] === "true") process.stdout.write(`${JSON.stringify(counts)}\n`);
});
