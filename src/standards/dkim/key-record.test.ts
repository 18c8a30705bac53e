import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { explainDkimKey } from "./explain.ts";
import {
  type DkimKeyRecord,
  formatDkimKey,
  looksLikeDkimKey,
  parseDkimKey,
  REVOKED,
  recordForKey,
  repairDkimKey,
} from "./key-record.ts";
import { readDkimPublicKey } from "./key-source.ts";
import {
  type DkimPublicKey,
  dkimFingerprint,
  dkimPublicKeyOf,
  encodeDkimKey,
  sameDkimKey,
  shortDkimFingerprint,
} from "./public-key.ts";
import { remarksOnDkimKey } from "./remarks.ts";

/** RFC 8463 §A.2 and the RSA key of its example. */
const ED25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const RSA_1024 =
  "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync("rsa", { modulusLength, publicExponent });
const pairs = { 512: rsa(512), 2048: rsa(2048), 3072: rsa(3072) };
const spki = (bits: keyof typeof pairs) =>
  pairs[bits].publicKey.export({ format: "der", type: "spki" }).toString("base64");
const RSA_512 = spki(512);
const RSA_2048 = spki(2048);
const RSA_3072 = spki(3072);
const PKCS1_2048 = pairs[2048].publicKey.export({ format: "der", type: "pkcs1" }).toString("base64");
const PRIVATE_2048 = pairs[2048].privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");

const keyOf = (source: string): DkimPublicKey => {
  const read = readDkimPublicKey(source);
  if (!read.ok) throw new Error(read.problem);
  return read.value;
};
const codesOf = (text: string) => remarksOnDkimKey(text).map(({ code, severity }) => `${severity} ${code}`);
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" });

describe("parseDkimKey", () => {
  it.each<[text: string, status: string, remarks: string[], reason: string]>([
    [`v=DKIM1; k=rsa; p=${RSA_2048}`, "valid", [], "the usual shape"],
    [`v=DKIM1; h=sha256; k=rsa; p=${RSA_2048}`, "valid", [], "the hash named"],
    [`v=DKIM1; p=${RSA_2048}`, "valid", [], "k is rsa where it is absent"],
    [`p=${RSA_2048}`, "valid", [], "v is only recommended"],
    [
      `k=rsa; t=s; h=sha256; p=${RSA_2048};`,
      "valid",
      ["notice dkim-strict-identity"],
      "any order, final semicolon",
    ],
    [` v = DKIM1 ; p = ${RSA_2048} `, "valid", [], "white space around names and values"],
    [`v=DKIM1; k=ed25519; p=${ED25519}`, "valid", [], "Ed25519"],
    [`v=DKIM1; p=`, "revoked", ["notice dkim-revoked"], "an empty p revokes"],
    [`v=DKIM1; k=dsa; p=`, "revoked", ["notice dkim-revoked"], "whatever the type"],
    [`k=rsa; v=DKIM1; p=${RSA_2048}`, "invalid", ["error dkim-version"], "v must be first"],
    [`v=DKIM1.0; p=${RSA_2048}`, "invalid", ["error dkim-version"], "the version is compared as a string"],
    [`v=dkim1; p=${RSA_2048}`, "invalid", ["error dkim-version"], "in its case"],
    [`v=DKIM1; k=rsa`, "invalid", ["error dkim-missing-key"], "p is required"],
    [
      `v=DKIM1; P=${RSA_2048}`,
      "invalid",
      ["error dkim-missing-key", "warning dkim-tag-case"],
      "names have case",
    ],
    ["", "invalid", ["error dkim-missing-key"], "nothing at all"],
    [`v=DKIM1; p=${RSA_2048}; p=${RSA_2048}`, "invalid", ["error dkim-duplicate-tag"], "a tag twice"],
    [`v=DKIM1; ${RSA_1024}`, "invalid", ["error dkim-syntax"], "the key without p="],
    [`v=DKIM1; k=; p=${RSA_2048}`, "invalid", ["error dkim-key-type"], "an empty type is none"],
    [`v=DKIM1; k=RSA; p=${RSA_2048}`, "invalid", ["error dkim-key-type"], "types have case"],
    [`v=DKIM1; k=dsa; p=${RSA_2048}`, "invalid", ["error dkim-key-type"], "an unknown type"],
    [`v=DKIM1; p=${RSA_2048.replace(/[+/]/g, "-")}`, "invalid", ["error dkim-base64"], "URL-safe base64"],
    [`v=DKIM1; p==${RSA_2048}`, "invalid", ["error dkim-base64"], "padding in front"],
    [`v=DKIM1; p=${RSA_2048.slice(0, 244)}`, "invalid", ["error dkim-key-cut-off"], "cut at 255 by a form"],
    [`v=DKIM1; p=${RSA_2048.slice(0, 3)}`, "invalid", ["error dkim-key-cut-off"], "nearly nothing left"],
    [
      `v=DKIM1; k=ed25519; p=${ED25519.slice(0, 40)}`,
      "invalid",
      ["error dkim-key-cut-off"],
      "30 of 32 octets",
    ],
    [`v=DKIM1; p=${RSA_1024}AAAA`, "invalid", ["error dkim-key-unreadable"], "octets behind the key"],
    ["v=DKIM1; p=aGVsbG8gd29ybGQ=", "invalid", ["error dkim-key-unreadable"], "base64 of something else"],
    ["v=DKIM1; p=MAMEAQE=", "invalid", ["error dkim-key-unreadable"], "ASN.1, but no key"],
    [`v=DKIM1; p=${PRIVATE_2048}`, "invalid", ["error dkim-private-key"], "the private key was published"],
    [`v=DKIM1; p=${ED25519}`, "invalid", ["error dkim-key-type-mismatch"], "Ed25519 without k"],
    [`v=DKIM1; k=ed25519; p=${RSA_2048}`, "invalid", ["error dkim-key-type-mismatch"], "RSA called Ed25519"],
    [
      `v=DKIM1; p=${EC.publicKey.export({ format: "der", type: "spki" }).toString("base64")}`,
      "invalid",
      ["error dkim-key-type-mismatch"],
      "a key for another algorithm",
    ],
    [
      `v=DKIM1; k=ed25519; p=MCowBQYDK2VwAyEA${ED25519}`,
      "invalid",
      ["error dkim-ed25519-encoding"],
      "Ed25519 as openssl writes it",
    ],
    [`"v=DKIM1; p=${RSA_2048}"`, "invalid", ["error dkim-stored-quotes"], "quotes stored"],
    [
      `v=DKIM1; p=${RSA_2048.slice(0, 200)}" "${RSA_2048.slice(200)}`,
      "invalid",
      ["error dkim-stored-quotes", "warning dkim-chunk-join-scar"],
      "the seam stored",
    ],
    [`v=DKIM1\\; k=rsa\\; p=${RSA_2048}`, "invalid", ["error dkim-stored-backslash"], "backslashes stored"],
    [`v=DKIM1; n=say "\\o/"; p=${RSA_2048}`, "valid", [], "notes may hold quotes and backslashes"],
    [
      `v=DKIM1; p=${RSA_2048.slice(0, 20)} ${RSA_2048.slice(20)}`,
      "valid",
      ["warning dkim-blank-in-key"],
      "R46",
    ],
    [
      `v=DKIM1; p=${RSA_2048.slice(0, 244)} ${RSA_2048.slice(244)}`,
      "valid",
      ["warning dkim-chunk-join-scar"],
      "the seam of a full first string",
    ],
    [
      `v=DKIM1; p=${RSA_3072.slice(0, 244)} ${RSA_3072.slice(244, 499)}\t${RSA_3072.slice(499)}`,
      "valid",
      ["notice dkim-key-long", "warning dkim-chunk-join-scar", "warning dkim-chunk-join-scar"],
      "two seams",
    ],
    [`v=DKIM1; p=${RSA_512}`, "valid", ["error dkim-key-too-short"], "below what verifiers accept"],
    [`v=DKIM1; p=${RSA_1024}`, "valid", ["warning dkim-key-short"], "E11"],
    [`v=DKIM1; p=${RSA_3072}`, "valid", ["notice dkim-key-long"], "needlessly long"],
    [`v=DKIM1; p=${PKCS1_2048}`, "valid", ["notice dkim-bare-rsa-key"], "PKCS #1"],
    [`v=DKIM1; k=ed25519; p=${ED25519.slice(0, -1)}`, "valid", ["warning dkim-base64-padding"], "no padding"],
    [`v=DKIM1; h=sha1; p=${RSA_2048}`, "valid", ["error dkim-only-sha1"], "RFC 8301"],
    [`v=DKIM1; h=sha512; p=${RSA_2048}`, "valid", ["error dkim-no-known-hash"], "no hash that anyone knows"],
    [`v=DKIM1; h=sha1 : sha256; p=${RSA_2048}`, "valid", ["notice dkim-sha1-listed"], "sha1 beside sha256"],
    [
      `v=DKIM1; t=y:s; p=${RSA_2048}`,
      "valid",
      ["warning dkim-testing", "notice dkim-strict-identity"],
      "both flags",
    ],
    [`v=DKIM1; t=yes; p=${RSA_2048}`, "valid", [], "unknown flags are ignored"],
    [`v=DKIM1; s=tlsrpt; p=${RSA_2048}`, "valid", ["error dkim-service"], "not for mail"],
    [`v=DKIM1; s=tlsrpt:email; p=${RSA_2048}`, "valid", [], "for mail too"],
    [
      `v=DKIM1; g=*; x=1; p=${RSA_2048}`,
      "valid",
      ["notice dkim-obsolete-tag", "notice dkim-unknown-tag"],
      "tags beyond the standard",
    ],
    [`v=DKIM1;; p=${RSA_2048}`, "valid", ["warning dkim-empty-part"], "doubled separator"],
  ])("%#", (text, status, remarks, reason) => {
    expect(parseDkimKey(text).status, reason).toBe(status);
    expect(codesOf(text), reason).toEqual(remarks);
  });

  it("says how much of a cut key is left, and that forms cut at 255 characters", () => {
    const cut = parseDkimKey(`v=DKIM1; p=${RSA_2048}`.slice(0, 255));
    expect(cut).toMatchObject({
      problem: expect.stringMatching(
        /cut off after 244 characters: .* announces 294 .* has 183; .*255 characters/,
      ),
    });
  });

  it("reads the settings", () => {
    expect(
      parseDkimKey(`v=DKIM1; h=sha1:sha256:x; s=email:y; t=y:s:z; n=a=b; k=ed25519; p=${ED25519}`),
    ).toEqual({
      status: "valid",
      record: {
        keyType: "ed25519",
        key: keyOf(ED25519),
        hashes: ["sha1", "sha256"],
        services: ["email", "y"],
        testing: true,
        strictIdentity: true,
        notes: "a=b",
      },
    });
  });

  it("reads modulus and exponent", () => {
    expect(keyOf(RSA_1024)).toMatchObject({ modulusBits: 1024, publicExponent: 65_537n });
  });

  it("finds a worthless exponent", () => {
    const jwk = pairs[2048].publicKey.export({ format: "jwk" });
    const worthless = createPublicKey({ key: { ...jwk, e: "AQ" }, format: "jwk" });
    const p = worthless.export({ format: "der", type: "spki" }).toString("base64");
    expect(codesOf(`v=DKIM1; p=${p}`)).toEqual(["error dkim-weak-exponent"]);
  });
});

const arbitraryRecord: fc.Arbitrary<DkimKeyRecord> = fc
  .record({
    key: fc.constantFrom(keyOf(ED25519), keyOf(RSA_1024), undefined),
    hashes: fc.option(fc.subarray(["sha1", "sha256"] as const), { nil: undefined }),
    services: fc.subarray(["*", "email", "tlsrpt"]),
    testing: fc.boolean(),
    strictIdentity: fc.boolean(),
    notes: fc.option(fc.stringMatching(/^[!-:<-~]{1,20}$/), { nil: undefined }),
  })
  .map((record) => ({ ...record, keyType: record.key?.keyType ?? "rsa" }));

describe("formatDkimKey", () => {
  it("is the inverse of parsing", () => {
    fc.assert(
      fc.property(arbitraryRecord, fc.constantFrom("explicit", "short"), (record, shape) => {
        const reading = parseDkimKey(formatDkimKey(record, shape));
        expect(reading).toEqual({ status: record.key === undefined ? "revoked" : "valid", record });
      }),
    );
  });

  const key = keyOf(RSA_1024);
  it.each([
    [formatDkimKey(recordForKey(key)), `v=DKIM1; k=rsa; p=${RSA_1024}`],
    [formatDkimKey(recordForKey(key), "short"), `v=DKIM1; p=${RSA_1024}`],
    [formatDkimKey({ ...recordForKey(key), hashes: ["sha256"] }), `v=DKIM1; h=sha256; k=rsa; p=${RSA_1024}`],
    [formatDkimKey(recordForKey(keyOf(ED25519)), "short"), `v=DKIM1; k=ed25519; p=${ED25519}`],
    [formatDkimKey(REVOKED), "v=DKIM1; p="],
  ])("R43: %s", (formatted, expected) => {
    expect(formatted).toBe(expected);
  });
});

describe("repairDkimKey", () => {
  const sound = `v=DKIM1; k=rsa; p=${RSA_2048}`;
  it.each([
    [sound, undefined, "nothing to repair"],
    [`"${sound}"`, sound, "quotes around"],
    [`"${sound.slice(0, 255)}" "${sound.slice(255)}"`, sound, "two strings"],
    [sound.replaceAll(";", "\\;"), sound, "escaped semicolons"],
    [`${sound.slice(0, 255)} ${sound.slice(255)}`, sound, "a scar"],
    [`"${sound.slice(0, 255)}"`, undefined, "what is cut off stays cut off"],
    ["no key", undefined, "something else"],
  ])("%#", (text, repaired, reason) => {
    expect(repairDkimKey(text), reason).toBe(repaired);
  });
});

describe("readDkimPublicKey", () => {
  const { publicKey, privateKey } = pairs[2048];
  const ed25519 = generateKeyPairSync("ed25519");
  const pem = { format: "pem", type: "spki" } as const;
  const record = `v=DKIM1; k=rsa; p=${RSA_2048}`;
  it.each<[source: string, expected: string, reason: string]>([
    [publicKey.export(pem).toString(), RSA_2048, "PEM public key"],
    [publicKey.export({ format: "pem", type: "pkcs1" }).toString(), RSA_2048, "PKCS #1 PEM"],
    [privateKey.export({ format: "pem", type: "pkcs8" }).toString(), RSA_2048, "private key"],
    [privateKey.export({ format: "pem", type: "pkcs1" }).toString(), RSA_2048, "RSA private key"],
    [RSA_2048, RSA_2048, "base64 SPKI"],
    [RSA_2048.replace(/.{64}/g, "$&\n"), RSA_2048, "in lines"],
    [PKCS1_2048, RSA_2048, "base64 PKCS #1"],
    [ED25519, ED25519, "32 octets"],
    [`MCowBQYDK2VwAyEA${ED25519}`, ED25519, "Ed25519 as openssl writes it is fine as a source"],
    [
      ed25519.privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
      encodeDkimKey(keyOf(ed25519.publicKey.export(pem).toString())),
      "Ed25519 private key",
    ],
    [record, RSA_2048, "record"],
    [`p=${RSA_2048}`, RSA_2048, "record without a version"],
    [
      `dkim._domainkey.example.org. 3600 TXT (\n  "v=DKIM1; p="\n  "${RSA_2048.slice(0, 64)}"\n  "${RSA_2048.slice(64)}")`,
      RSA_2048,
      "R47: zone lines",
    ],
    [`"${record.slice(0, 255)}" "${record.slice(255)}"`, RSA_2048, "as dig prints it"],
    [`${record.slice(0, 200)} ${record.slice(200)}`, RSA_2048, "with a scar"],
  ])("%#", (source, expected, reason) => {
    expect(encodeDkimKey(keyOf(source)), reason).toBe(expected);
  });

  it.each([
    ["", "empty"],
    ["hello there!", "neither PEM nor base64"],
    ["v=DKIM1; p=", "revokes"],
    [`v=DKIM1; p=${RSA_2048.slice(0, 100)}`, "cut off after 100"],
    ["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "damaged"],
    [EC.privateKey.export({ format: "pem", type: "pkcs8" }).toString(), "this one is for ec"],
    [
      ed25519.privateKey
        .export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "x" })
        .toString(),
      "encrypted",
    ],
    ["A".repeat(70_000), "too long"],
  ])("refuses %#", (source, problem) => {
    expect(readDkimPublicKey(source)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(typeof readDkimPublicKey(text).ok).toBe("boolean");
        expect(explainDkimKey(text).remarks.every(({ offset = 0 }) => offset <= text.length)).toBe(true);
      }),
    );
  });
});

describe("keys", () => {
  it("are the same whatever encoding they came in", () => {
    expect(sameDkimKey(keyOf(RSA_2048), keyOf(PKCS1_2048))).toBe(true);
    expect(sameDkimKey(keyOf(RSA_2048), keyOf(RSA_1024))).toBe(false);
  });

  it("have a fingerprint, and a short one", () => {
    const full = dkimFingerprint(keyOf(ED25519));
    expect(full).toMatch(/^[0-9a-f]{64}$/);
    expect(shortDkimFingerprint(keyOf(ED25519)).replaceAll(" ", "")).toBe(full.slice(0, 16));
    expect(dkimFingerprint(keyOf(PKCS1_2048))).toBe(dkimFingerprint(keyOf(RSA_2048)));
  });

  it("of other kinds are refused", () => {
    expect(dkimPublicKeyOf(EC.publicKey).ok).toBe(false);
  });
});

describe("looksLikeDkimKey", () => {
  it.each([
    ["v=DKIM1; p=", true, "revoked"],
    ['"v=dkim1\\; p="', true, "damaged"],
    [`k=rsa; p=${RSA_1024}`, true, "without version"],
    ["v=spf1 -all", false, "SPF"],
    ["v=DMARC1; p=none", false, "DMARC"],
    ["some=token", false, "something else"],
  ])("%s", (text, expected, reason) => {
    expect(looksLikeDkimKey(text), reason).toBe(expected);
  });
});

it("explains a record tag by tag", () => {
  const { terms } = explainDkimKey(`v=DKIM1; k=ed25519; t=y; z=1; p=${ED25519}`);
  expect(terms.map(({ meaning }) => meaning)).toEqual([
    "This TXT record is a DKIM key.",
    "The key is for ed25519.",
    "DKIM is being tested: a failing signature counts like none.",
    'Verifiers ignore the tag "z".',
    `The public key: Ed25519, fingerprint ${shortDkimFingerprint(keyOf(ED25519))}.`,
  ]);
});

describe("keys that others published", () => {
  const [seed, messages] = ["../shared/seeds/004_8731bafbc6e70624.txt", "../shared/corpora/dkim"];

  it("E6: the sample with the scar is found, and repaired to a key of 2048 bits", (context) => {
    if (!existsSync(seed)) return context.skip(`${seed} is absent`);
    const text = readFileSync(seed, "utf8")
      .split("\n")
      .find((line) => line.startsWith("v=DKIM1"))!
      .trim();
    expect(remarksOnDkimKey(text)).toMatchObject([{ code: "dkim-chunk-join-scar", offset: 278 }]);
    expect(keyOf(repairDkimKey(text)!)).toMatchObject({ modulusBits: 2048 });
  });

  it("all keys of the sample messages are valid", (context) => {
    if (!existsSync(messages)) return context.skip(`${messages} is absent`);
    const texts = readdirSync(messages)
      .filter((name) => name.endsWith(".txt"))
      .flatMap(
        (name) => readFileSync(`${messages}/${name}`, "utf8").match(/^\S+\._domainkey\.\S+ .*/gm) ?? [],
      );
    expect(texts.length).toBeGreaterThan(5);
    expect(texts.map((line) => parseDkimKey(line.slice(line.indexOf(" "))).status)).toEqual(
      texts.map(() => "valid"),
    );
  });
});
