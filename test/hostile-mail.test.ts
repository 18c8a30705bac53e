/**
 * Mail that is made to cost: each kind has a bound in time, at least five times what was measured on two busy cores.
 * With FIGURES=true in the environment, what each costs is printed.
 */
import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { MailAuthenticator } from "../src/milter/authenticate.ts";
import type { MailAuthentication } from "../src/milter/authentication.ts";
import { openBudgetedResolver } from "../src/net/budgeted-resolver.ts";
import { readArcSets } from "../src/standards/arc/arc-set.ts";
import { ArcSealer } from "../src/standards/arc/seal.ts";
import { forgedOccurrences } from "../src/standards/auth-results/forged.ts";
import { BodyHasher } from "../src/standards/dkim/body-hash.ts";
import { DkimKeyRing } from "../src/standards/dkim/key-lookup.ts";
import { indexFields } from "../src/standards/dkim/signed-fields.ts";
import { addressFromOctets } from "../src/standards/dns/address.ts";
import type { Resolver } from "../src/standards/dns/resolver.ts";
import { type HeaderField, headerField } from "../src/standards/message/header-field.ts";
import { MessageReader } from "../src/standards/message/message-reader.ts";
import { signMail, verifyMail } from "./support/dkim-mail.ts";
import { PEER_KEYS } from "./support/dkim-peers.ts";
import { type MailText, mailText } from "./support/mail-text.ts";
import { a, mx, type Table, type TableResolver, tableResolver, txt } from "./support/table-resolver.ts";

const { ed } = PEER_KEYS;
const KEYS: Table = { [ed.owner]: [txt(ed.recordText)] };
const DNS = tableResolver(KEYS);
const NOW = new Date("2026-11-21T12:00:00Z");
const MIB = 1_048_576;

const ORIGIN = {
  clientIp: addressFromOctets(Uint8Array.of(192, 0, 2, 10)),
  helo: "client.example.org",
  mailFrom: "bounce@example.org",
};

async function authenticate(
  { fields, body }: MailText,
  resolver: Resolver = DNS,
): Promise<MailAuthentication> {
  const hasher = new BodyHasher();
  const authenticator = new MailAuthenticator(indexFields(fields), hasher, ORIGIN, {
    resolver,
    keys: new DkimKeyRing(),
    now: NOW,
    receiver: "mx.example.net",
  });
  for (let at = 0; at < body.length; at += 65_536) hasher.update(body.subarray(at, at + 65_536));
  hasher.finish();
  return await authenticator.finish();
}

const figures: string[] = [];
afterAll(() => {
  if (process.env["FIGURES"] === "true") process.stdout.write(`${figures.join("\n")}\n`);
});

/** Processor time, which other programs on the machine do not lengthen as they do the clock's. */
async function costs<T>(what: string, maxMilliseconds: number, act: () => Promise<T> | T): Promise<T> {
  const before = process.cpuUsage();
  const result = await act();
  const { user, system } = process.cpuUsage(before);
  const milliseconds = (user + system) / 1_000;
  figures.push(`${milliseconds.toFixed(0).padStart(6)} ms of ${maxMilliseconds}: ${what}`);
  expect(milliseconds, what).toBeLessThan(maxMilliseconds);
  return result;
}

const FROM = headerField("From", " Alice <alice@example.org>");
const mailOf = (fields: readonly HeaderField[], body = "Hello\r\n"): MailText => ({
  fields: [...fields, FROM],
  body: Buffer.from(body, "latin1"),
});

/** The signature of a message that is right but for what `change` does to it. */
async function signature(change: (value: string) => string = (value) => value, mail = mailOf([])) {
  const { fields } = await signMail(mail, [ed], { now: NOW });
  return headerField("DKIM-Signature", change(fields[0]!.value));
}

describe("signatures", () => {
  it("500 with distinct l= on 1 MB: 8 are looked at, the body is hashed 3 times", async () => {
    const { value } = await signature();
    const many = Array.from({ length: 500 }, (_, at) =>
      headerField("DKIM-Signature", value.replace(" d=", ` l=${1_000 + at}; d=`)),
    );
    const mail = mailOf(many, `${"x".repeat(78)}\r\n`.repeat(12_500));
    const { dkim, skippedSignatures } = await costs("500 signatures, 1 MB", 100, () => authenticate(mail));
    expect(dkim.map(({ cause }) => cause)).toEqual([
      ...Array(3).fill("body-changed"),
      ...Array(5).fill("too-many-body-hashes"),
    ]);
    expect(skippedSignatures).toBe(492);
  });

  it("8 that each name 10,000 fields of 10,000", async () => {
    const fields = Array.from({ length: 10_000 }, (_, at) => headerField("Comments", ` ${at}`));
    const names = Array(10_000).fill("comments").join(":");
    const one = await signature((value) => value.replace("h=", `h=${names}:`));
    const mail = mailOf([...Array<HeaderField>(8).fill(one), ...fields]);
    const { dkim } = await costs("8 signatures, h= with 10,000 names", 600, () => authenticate(mail));
    expect(dkim.map(({ cause }) => cause)).toEqual(Array(8).fill("header-changed"));
  });

  it("10,000 different names in h=, of fields that are there", async () => {
    const fields = Array.from({ length: 10_000 }, (_, at) => headerField(`X-${at}`, ` ${at}`));
    const names = fields.map(({ key }) => key).join(":");
    const one = await signature((value) => value.replace("h=", `h=${names}:`));
    const { dkim } = await costs("h= with 10,000 different names", 200, () =>
      authenticate(mailOf([one, ...fields])),
    );
    expect(dkim.map(({ cause }) => cause)).toEqual(["header-changed"]);
  });
});

describe("headers", () => {
  it("10,000 fields with one signature among them that passes", async () => {
    const fields = Array.from({ length: 10_000 }, (_, at) => headerField(`X-${at % 100}`, ` ${at}`));
    const mail = mailOf([await signature(), ...fields]);
    const { dkim } = await costs("10,000 fields", 200, () => authenticate(mail));
    expect(dkim.map(({ result }) => result)).toEqual(["pass"]);
  });

  it("10,000 fields are read up to the limit, and said to be too many", async () => {
    const octets = Buffer.from("X-Many: 1\r\n".repeat(10_000));
    const kept: HeaderField[] = [];
    const reader = new MessageReader({ field: (field) => kept.push(field), endOfHeaders() {}, body() {} });
    await costs("10,000 fields read", 150, () => reader.write(octets));
    expect(reader.end().header.exceeded).toEqual(["fields"]);
    expect(kept).toHaveLength(2_000);
  });

  /** What parsers go over again and again, if they do. */
  const PAYLOADS: readonly (readonly [name: string, unit: string])[] = [
    ["letters", "x"],
    ["blanks", " "],
    ["tabs and blanks", " \t"],
    ["folds", "\r\n "],
    ["folds of blanks", " \r\n\t"],
    ["opened comments", "("],
    ["comments", "()"],
    ["closed comments", ")"],
    ["opened quotes", '"x '],
    ["backslashes", "\\"],
    ["angles", "<"],
    ["routes", "@a,"],
    ["commas", ","],
    ["groups", "a:"],
    ["ends of groups", "a:;"],
    ["semicolons", ";"],
    ["tags", "a=b;"],
    ["tags of base64", "b=AAAA "],
    ["equal signs", "="],
    ["colons", ":"],
    ["encoded words", "=?utf-8?q?=C3?= "],
    ["addresses", "a@example.org,"],
    ["results", "; dkim=pass"],
    ["instances", "i=1;"],
    ["lone returns", "\r"],
    ["octets above 127", "\xe0\xff"],
    ["dots", "a."],
    ["slashes", "/1"],
  ];
  const NAMES = [
    ["From", ""],
    ["From", "a@example.org "],
    ["DKIM-Signature", ""],
    ["DKIM-Signature", "v=1; a=ed25519-sha256; d=example.org; s=ed; h=from; bh=AAAA; b="],
    ["DKIM-Signature", "v=1; a=ed25519-sha256; d=example.org; s=ed; b=AAAA; bh=AAAA; h=from:"],
    ["ARC-Seal", ""],
    ["ARC-Seal", "i=1; cv=none; a=ed25519-sha256; d=example.org; s=ed; b="],
    ["ARC-Message-Signature", ""],
    ["ARC-Message-Signature", "i=1; a=ed25519-sha256; d=example.org; s=ed; h=from; bh=AAAA; b="],
    ["ARC-Authentication-Results", ""],
    ["ARC-Authentication-Results", "i=1; mx.example.org; "],
    ["Authentication-Results", ""],
    ["Authentication-Results", "mx.example.net; "],
    ["Subject", ""],
  ] as const;

  it.each(PAYLOADS)("one field of 1 MiB: %s", async (name, unit) => {
    const signed = await signature();
    const arc = await sealed(mailOf([]), 1);
    for (const [fieldName, start] of NAMES) {
      const value = ` ${start}${unit.repeat(Math.floor(MIB / unit.length))}`;
      const huge = headerField(fieldName, value);
      const others = arc.fields.filter(({ key }) => key !== huge.key);
      const mail = { fields: [huge, signed, ...others], body: arc.body };
      await costs(`1 MiB of ${name} in ${fieldName}: ${start}`, 1_500, async () => {
        forgedOccurrences(mail.fields, ["mx.example.net"]);
        return await authenticate(mail);
      });
    }
  });
});

/** A message that has passed so many stations. */
async function sealed(
  mail: MailText,
  stations: number,
  results = (station: number) => `mx${station}.example.org; spf=pass`,
): Promise<MailText> {
  let { fields } = mail;
  for (let station = 1; station <= stations; station++) {
    const hasher = new BodyHasher();
    const sealer = new ArcSealer(hasher, { key: ed, now: NOW });
    hasher.update(mail.body);
    hasher.finish();
    const index = indexFields(fields);
    const set = await sealer.finish({
      index,
      before: readArcSets(index),
      chainStatus: station === 1 ? "none" : "pass",
      authenticationResults: results(station),
    });
    fields = [...set!, ...fields];
  }
  return { fields, body: mail.body };
}

describe("chains of ARC", () => {
  it("50 sets pass", async () => {
    const mail = await sealed(mailOf([]), 50);
    const { arc } = await costs("a chain of 50 sets", 250, () => authenticate(mail));
    expect([arc.result, arc.oldestPass]).toEqual(["pass", 0]);
  });

  it("51 sets are refused unread", async () => {
    const { fields, body } = await sealed(mailOf([]), 50);
    const newest = fields.slice(0, 3).map((each) => ({ ...each, value: each.value.replace("i=50", "i=51") }));
    const { arc } = await costs("a chain of 51 sets", 50, () =>
      authenticate({ fields: [...newest, ...fields], body }),
    );
    expect([arc.result, arc.problem]).toEqual(["fail", "there are 51 ARC sets; 50 are allowed"]);
  });

  it("50 sets of 20 KB each, rightly sealed", async () => {
    const mail = await sealed(mailOf([]), 50, () => `mx.example.org; spf=pass (${"x ".repeat(10_000)})`);
    const { arc } = await costs("a chain of 50 sets, 1 MB", 1_500, () => authenticate(mail));
    expect(arc.result).toBe("pass");
  });

  it("50 sets of 20 KB each, forged", async () => {
    const { fields, body } = await sealed(mailOf([]), 50);
    const forged = fields.map((each) =>
      each.key === "arc-authentication-results"
        ? { ...each, value: `${each.value} (${"x ".repeat(10_000)})` }
        : each,
    );
    const { arc } = await costs("a forged chain of 50 sets, 1 MB", 1_500, () =>
      authenticate({ fields: forged, body }),
    );
    expect(arc.result).toBe("fail");
  });

  it("50 sets that want 50 different hashes of 1 MB", async () => {
    const { fields } = await sealed(mailOf([]), 50);
    const changed = fields.map((each) =>
      each.key === "arc-message-signature"
        ? { ...each, value: each.value.replace(/ i=(\d+);/, (tag, instance) => `${tag} l=${instance};`) }
        : each,
    );
    const mail = { fields: changed, body: Buffer.alloc(MIB, "x ") };
    const { arc } = await costs("50 message signatures with distinct l=", 150, () => authenticate(mail));
    expect(arc.result).toBe("fail");
  });

  it("10,000 fields of each kind, all i=1", async () => {
    const { fields, body } = await sealed(mailOf([]), 1);
    const [seal, message, results, ...rest] = fields;
    const many = Array.from({ length: 10_000 }, () => [seal!, message!, results!]).flat();
    const { arc } = await costs("30,000 fields of ARC", 300, () =>
      authenticate({ fields: [...many, ...rest], body }),
    );
    expect(arc.problem).toBe("there are 10000 ARC sets; 50 are allowed");
  });
});

describe("keys", () => {
  const spki = (modulusOctets: number, exponentOctets: number): KeyObject => {
    const octets = (count: number) => Buffer.alloc(count, 0xc5).toString("base64url");
    const n = octets(modulusOctets);
    const e = exponentOctets === 0 ? "AQAB" : octets(exponentOctets);
    return createPublicKey({ format: "jwk", key: { kty: "RSA", n, e } });
  };
  const recordOf = (key: KeyObject) =>
    txt(`v=DKIM1; p=${key.export({ format: "der", type: "spki" }).toString("base64")}`);

  it.each([
    ["16,384 bits", spki(2_048, 0), "key-too-large"],
    ["8,200 bits", spki(1_025, 0), "key-too-large"],
    ["2,048 bits with an exponent of 2,040", spki(256, 255), "key-too-large"],
    ["4,096 bits with an exponent of 64", spki(512, 8), "key-too-large"],
    ["8,192 bits, which is the most", spki(1_024, 0), "header-changed"],
  ] as const)("%s", async (name, key, cause) => {
    const table = tableResolver({ "big._domainkey.example.org": [recordOf(key)] });
    const one = await signature((value) =>
      value.replace("ed25519-sha256", "rsa-sha256").replace("s=ed;", "s=big;"),
    );
    const mail = mailOf(Array<HeaderField>(8).fill(one));
    const { dkim } = await costs(`8 signatures, RSA with ${name}`, 100, () => authenticate(mail, table));
    expect(dkim.map((each) => each.cause)).toEqual(Array(8).fill(cause));
  });

  it("a name with 5,000 keys gives two", async () => {
    const others = Array.from({ length: 5_000 }, () => recordOf(generateKeyPairSync("ed25519").publicKey));
    const table = tableResolver({ [ed.owner]: [...others, txt(ed.recordText)] });
    const mail = mailOf(Array<HeaderField>(8).fill(await signature()));
    const { dkim } = await costs("8 signatures, 5,000 keys at the name", 100, () =>
      authenticate(mail, table),
    );
    expect(dkim.every(({ result }) => result !== "pass")).toBe(true);
  });
});

describe("DNS", () => {
  /** Each record includes ten more, and so on; every include is good for ten names of hosts. */
  const WIDE: Table = {
    ...KEYS,
    "example.org": [txt(`v=spf1 ${names(10, "", "include:")} -all`)],
    ...Object.fromEntries(
      Array.from({ length: 10 }, (_, at) => [
        `${at}.example.org`,
        [
          txt("v=spf1 mx ptr ?all"),
          ...Array.from({ length: 10 }, (_, host) => mx(10, `h${host}.example.org`)),
        ],
      ]),
    ),
    ...Object.fromEntries(
      Array.from({ length: 10 }, (_, host) => [`h${host}.example.org`, [a("192.0.2.99")]]),
    ),
  };
  function names(count: number, below: string, prefix: string): string {
    return Array.from({ length: count }, (_, at) => `${prefix}${at}${below}.example.org`).join(" ");
  }

  it("a wide tree of SPF and 8 signatures share the questions of one message", async () => {
    const { value } = await signature();
    const mail = mailOf(
      Array.from({ length: 8 }, (_, at) =>
        headerField("DKIM-Signature", value.replace("s=ed;", `s=s${at};`)),
      ),
    );
    const table: TableResolver = tableResolver(WIDE);
    const free = await authenticate(mail, table);
    expect(free.spf.result).toBe("permerror");
    const unlimited = table.asked.length;
    table.asked.length = 0;
    const { resolver, close } = openBudgetedResolver(table, { milliseconds: 10_000, queries: 20 });
    const { spf, dmarc } = await costs("SPF and DMARC on 20 questions", 100, () =>
      authenticate(mail, resolver),
    );
    close();
    expect(table.asked.length).toBe(20);
    expect(unlimited).toBeGreaterThan(20);
    expect(spf.result).toBe("temperror");
    expect(dmarc.status === "evaluated" && dmarc.outcome.result).toBe("temperror");
  });

  it("servers that never answer: all is temperror when the time is up, and no later", async () => {
    const mail = await sealed(mailOf([await signature()]), 2);
    const silent: Resolver = { lookup: () => new Promise<never>(() => {}) };
    const { resolver, close } = openBudgetedResolver(silent, { milliseconds: 200, queries: 100 });
    const start = performance.now();
    const result = await authenticate(mail, resolver);
    const elapsed = performance.now() - start;
    close();
    expect(elapsed).toBeGreaterThan(190);
    expect(elapsed).toBeLessThan(15_000);
    const { iprev, spf, dkim, arc, dmarc } = result;
    expect(iprev.result).toBe("temperror");
    expect(spf.result).toBe("temperror");
    expect(dkim.map((each) => each.result)).toEqual(["temperror"]);
    expect([arc.result, arc.isTemporary]).toEqual(["fail", true]);
    expect(dmarc.status === "evaluated" && dmarc.outcome.result).toBe("temperror");
  });

  it("servers that take 20 ms for each answer: what was answered in time counts", async () => {
    const slow: Resolver = {
      lookup: async (name, type) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return await tableResolver(WIDE).lookup(name, type);
      },
    };
    const { resolver, close } = openBudgetedResolver(slow, { milliseconds: 150, queries: 100 });
    const start = performance.now();
    const { spf, dkim } = await authenticate(mailOf([await signature()]), resolver);
    close();
    expect(performance.now() - start).toBeLessThan(15_000);
    expect(spf.result).toBe("temperror");
    expect(dkim.map(({ result }) => result)).toEqual(["pass"]);
  });
});

describe("bodies", () => {
  it("100 MB stream through in flat memory", { timeout: 120_000 }, () => {
    const program = fileURLToPath(new URL("./support/body-memory.ts", import.meta.url));
    const { growthMib, milliseconds, results } = JSON.parse(
      execFileSync(process.execPath, ["--expose-gc", program], { encoding: "utf8" }),
    ) as { growthMib: number; milliseconds: number; results: readonly string[] };
    figures.push(`${milliseconds.toFixed(0).padStart(6)} ms, ${growthMib.toFixed(1)} MiB more: 100 MB body`);
    expect(results).toEqual(["fail", "fail"]);
    expect(growthMib).toBeLessThan(64);
    expect(milliseconds).toBeLessThan(15_000);
  });

  it.each([
    ["blanks", " "],
    ["line ends", "\r\n"],
    ["blank lines", " \r\n"],
    ["returns", "\r"],
    ["line feeds", "\n"],
    ["blank and letter", " x"],
  ])("10 MB of %s", async (name, unit) => {
    const mail = mailOf([await signature()], unit.repeat(Math.floor((10 * MIB) / unit.length)));
    const results = await costs(`10 MB of ${name}`, 1_500, () =>
      verifyMail(mail, DNS, { now: NOW, chunkOctets: 65_536 }),
    );
    expect(results[0]!.cause).toBe("body-changed");
  });

  it("1 MB in chunks of one octet", async () => {
    const mail = mailText(`From: a@example.org\n\n${"some words \n".repeat(90_000)}`);
    const signed = await signMail(mail, [ed], { now: NOW });
    const results = await costs("1 MB octet by octet", 2_500, () =>
      verifyMail(signed, DNS, { now: NOW, chunkOctets: 1 }),
    );
    expect(results[0]!.result).toBe("pass");
  });
});
