import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { signMail, verifyMail } from "../../../test/support/dkim-mail.ts";
import { type MailText, mailText } from "../../../test/support/mail-text.ts";
import { type Table, tableResolver, txt } from "../../../test/support/table-resolver.ts";
import { domainName } from "../dns/name.ts";
import { headerField } from "../message/header-field.ts";
import { formatDkimKey, recordForKey } from "./key-record.ts";
import { dkimPublicKeyOf } from "./public-key.ts";
import type { DkimSelector } from "./selector.ts";
import { type SigningKey, signNow } from "./sign.ts";
import { headerData, indexFields, pickFields } from "./signed-fields.ts";

const rsa = signingKey("rsa", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);
const ed = signingKey("ed", generateKeyPairSync("ed25519").privateKey);

function signingKey(selector: string, privateKey: KeyObject, domain = "example.org"): SigningKey {
  const keyType = privateKey.asymmetricKeyType === "rsa" ? "rsa" : "ed25519";
  return { signingDomain: domainName(domain), dkimSelector: selector as DkimSelector, keyType, privateKey };
}

function recordOf({ privateKey }: SigningKey): string {
  const key = dkimPublicKeyOf(privateKey);
  if (!key.ok) throw new Error(key.problem);
  return formatDkimKey(recordForKey(key.value));
}

const DNS: Table = {
  "rsa._domainkey.example.org": [txt(recordOf(rsa))],
  "ed._domainkey.example.org": [txt(recordOf(ed))],
};

const MAIL = mailText(
  [
    "Received: from client.example.org",
    "From: Ann <ann@example.org>",
    "To: bob@example.net",
    "Subject:  A  folded",
    "\t subject ",
    "Date: Sat, 21 Nov 2026 12:00:00 +0000",
    "Message-ID: <1@example.org>",
    "",
    "Hello  Bob, ",
    "",
    "grüße",
    "",
    "",
  ].join("\n"),
);

const edited = (mail: MailText, edit: (fields: string[]) => string[]): MailText => ({
  ...mail,
  fields: edit(mail.fields.map(({ name, value }) => `${name}:${value}`)).map((line) =>
    headerField(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)),
  ),
});

/** Changes one tag of the signature on top, as text. */
const retagged = (mail: MailText, from: string | RegExp, to: string): MailText =>
  edited(mail, ([first = "", ...rest]) => [first.replace(from, to), ...rest]);

describe("what was signed", () => {
  const ways = ["simple", "relaxed"] as const;
  it.each(
    ways.flatMap((header) =>
      ways.flatMap((body) => [1, 7, 100_000].map((octets) => [header, body, octets] as const)),
    ),
  )(
    "passes with %s/%s, in chunks of %i octets",
    async (headerCanonicalization, bodyCanonicalization, chunkOctets) => {
      const options = { headerCanonicalization, bodyCanonicalization, chunkOctets };
      const mail = await signMail(MAIL, [rsa, ed], options);
      const results = await verifyMail(mail, tableResolver(DNS), { chunkOctets: chunkOctets + 1 });
      expect(results.map(({ result, problem }) => [result, problem])).toEqual([
        ["pass", undefined],
        ["pass", undefined],
      ]);
    },
  );

  it("is written in lines that fit", async () => {
    const mail = await signMail(MAIL, [rsa, ed], { expiresAfterSeconds: 3_600 });
    for (const { name, value } of mail.fields.slice(0, 2))
      for (const line of `${name}:${value}`.split("\r\n")) expect(line.length).toBeLessThanOrEqual(78);
  });

  it.each([
    ["", "an empty body"],
    ["no line end", "a body without CRLF"],
    ["\r\n\r\n", "empty lines alone"],
    ["a\rb\nc \r\n", "lone CR and LF"],
  ])("passes with %j: %s", async (body, _reason) => {
    const mail = await signMail({ ...MAIL, body: Buffer.from(body) }, [rsa]);
    expect(await verifyMail(mail, tableResolver(DNS))).toMatchObject([{ result: "pass" }]);
  });

  it("passes with fields that stand several times, and breaks when one is added, dropped or moved", async () => {
    const twice = edited(MAIL, (fields) => [...fields, "Subject: second"]);
    const mail = await signMail(twice, [ed]);
    const verify = async (other: MailText) => (await verifyMail(other, tableResolver(DNS)))[0];
    expect(await verify(mail)).toMatchObject({ result: "pass" });
    for (const change of [
      (fields: string[]) => [...fields, "Subject: third"],
      (fields: string[]) => [...fields, "From: mallory@example.net"],
      (fields: string[]) => [...fields, "Cc: all@example.net"],
      (fields: string[]) => fields.slice(0, -1),
      (fields: string[]) => [
        ...fields.filter((field) => !/^Subject:/.test(field)),
        "Subject: second",
        "Subject:  A  folded\r\n\t subject ",
      ],
    ])
      expect(await verify(edited(mail, change))).toMatchObject({ result: "fail", cause: "header-changed" });
    expect(await verify(edited(mail, (fields) => [...fields, "X-Other: is not signed"]))).toMatchObject({
      result: "pass",
    });
  });
});

/** The message of RFC 8463 Appendix A, whose header and body are those of RFC 6376 Appendix A, with its keys. */
const RFC_8463_MESSAGE = mailText(
  [
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;",
    " d=football.example.com; i=@football.example.com;",
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :",
    " subject : date : message-id : from : subject : date;",
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus",
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;",
    " d=football.example.com; i=@football.example.com;",
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :",
    " date : message-id : from : subject : date;",
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3",
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz",
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=",
    "From: Joe SixPack <joe@football.example.com>",
    "To: Suzie Q <suzie@shopping.example.net>",
    "Subject: Is dinner ready?",
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)",
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>",
    "",
    "Hi.",
    "",
    "We lost the game.  Are you hungry yet?",
    "",
    "Joe.",
    "",
  ].join("\n"),
);
const RFC_8463_KEYS: Table = {
  "brisbane._domainkey.football.example.com": [
    txt("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
  ],
  "test._domainkey.football.example.com": [
    txt(
      "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    ),
  ],
};

it("the example of RFC 8463 passes with both its signatures, and with neither when a word is changed", async () => {
  const verify = (mail: MailText) => verifyMail(mail, tableResolver(RFC_8463_KEYS));
  expect(await verify(RFC_8463_MESSAGE)).toMatchObject([{ result: "pass" }, { result: "pass" }]);
  const body = Buffer.from(RFC_8463_MESSAGE.body.toString("latin1").replace("lost", "won"), "latin1");
  expect(await verify({ ...RFC_8463_MESSAGE, body })).toMatchObject([{ result: "fail" }, { result: "fail" }]);
});

describe("what does not pass", () => {
  const weak = signingKey("weak", generateKeyPairSync("rsa", { modulusLength: 768 }).privateKey);
  const dns: Table = {
    ...DNS,
    "weak._domainkey.example.org": [txt(recordOf(weak))],
    "revoked._domainkey.example.org": [txt("v=DKIM1; p=")],
    "broken._domainkey.example.org": [txt("v=DKIM1; p=!!!")],
    "tls._domainkey.example.org": [txt(recordOf(rsa).replace("p=", "s=tlsrpt; p="))],
    "old._domainkey.example.org": [txt(recordOf(rsa).replace("p=", "h=sha1; p="))],
    "strict._domainkey.example.org": [txt(recordOf(rsa).replace("p=", "t=s; p="))],
    "down._domainkey.example.org": "timeout",
    "two._domainkey.example.org": [txt(recordOf(weak)), txt(recordOf(rsa))],
  };
  const selector = (name: string) => (mail: MailText) => retagged(mail, "s=rsa", `s=${name}`);
  const tag = (from: string | RegExp, to: string) => (mail: MailText) => retagged(mail, from, to);

  it.each<[string, (mail: MailText) => MailText, object]>([
    [
      "a body that was changed",
      (mail) => ({ ...mail, body: Buffer.from("Hello") }),
      { result: "fail", cause: "body-changed" },
    ],
    [
      "a header that was changed",
      (mail) => edited(mail, (fields) => fields.map((f) => f.replace("bob@", "eve@"))),
      { result: "fail", cause: "header-changed" },
    ],
    ["no key", selector("none"), { result: "permerror", cause: "key-missing" }],
    ["a revoked key", selector("revoked"), { result: "permerror", cause: "key-revoked" }],
    ["a broken key", selector("broken"), { result: "permerror", cause: "key-syntax" }],
    ["DNS that does not answer", selector("down"), { result: "temperror", cause: "key-unavailable" }],
    ["a key of 768 bits (RFC 8301 §3.2)", selector("weak"), { result: "permerror", cause: "key-too-short" }],
    ["a key for reports alone", selector("tls"), { result: "permerror", cause: "key-service" }],
    ["a key for sha1 alone", selector("old"), { result: "permerror", cause: "key-hash" }],
    [
      "the type of another key",
      tag("a=rsa-sha256", "a=ed25519-sha256"),
      { result: "permerror", cause: "key-mismatch" },
    ],
    [
      "rsa-sha1 (RFC 8301 §3.1)",
      tag("a=rsa-sha256", "a=rsa-sha1"),
      { result: "permerror", cause: "algorithm-historic" },
    ],
    [
      "an algorithm of the future",
      tag("a=rsa-sha256", "a=rsa-sha3"),
      { result: "neutral", cause: "signature-algorithm" },
    ],
    ["version 2", tag("v=1", "v=2"), { result: "neutral", cause: "signature-version" }],
    ["no version", tag("v=1;", ""), { result: "permerror", cause: "signature-missing-tag" }],
    ["a tag twice", tag("v=1;", "v=1; d=example.org;"), { result: "neutral", cause: "signature-syntax" }],
    [
      "a canonicalisation that nobody knows",
      tag("c=relaxed/relaxed", "c=nofws"),
      { result: "neutral", cause: "signature-canonicalization" },
    ],
    ["From not signed", tag("h=from:from:", "h="), { result: "permerror", cause: "from-not-signed" }],
    [
      "a query that nobody knows",
      tag("v=1;", "v=1; q=http;"),
      { result: "neutral", cause: "signature-query" },
    ],
    [
      "an agent elsewhere",
      tag("v=1;", "v=1; i=ann@example.net;"),
      { result: "neutral", cause: "signature-domain" },
    ],
    ["a time in words", tag(/t=\d+/, "t=noon"), { result: "neutral", cause: "signature-syntax" }],
    [
      "an end before the beginning",
      tag(/t=(\d+)/, "t=$1; x=1"),
      { result: "neutral", cause: "signature-syntax" },
    ],
    ["l= beyond the body", tag("v=1;", "v=1; l=999;"), { result: "fail", cause: "body-shorter" }],
    [
      "l= of more digits than anyone counts",
      tag("v=1;", `v=1; l=${"9".repeat(76)};`),
      { result: "fail", cause: "body-shorter" },
    ],
    ["b= that is not base64", tag(/b=[\s\S]*$/, "b=!"), { result: "neutral", cause: "signature-syntax" }],
    ["b= of another length", tag(/b=[^;]*$/, "b=QUJD"), { result: "fail", cause: "header-changed" }],
  ])("%s", async (_what, change, expected) => {
    const mail = await signMail(MAIL, [rsa]);
    const [verification] = await verifyMail(change(mail), tableResolver(dns));
    expect(verification).toMatchObject(expected);
    expect(verification!.problem).toMatch(/\w/);
  });

  it("a second record beside the key does not matter where one of them fits", async () => {
    const two = signingKey("two", rsa.privateKey);
    const mail = await signMail(MAIL, [two]);
    expect(await verifyMail(mail, tableResolver(dns))).toMatchObject([{ result: "pass" }]);
  });

  it("an identity below the domain, where the key says t=s", async () => {
    const mail = retagged(await signMail(MAIL, [rsa]), "s=rsa", "i=ann@sub.example.org; s=strict");
    expect(await verifyMail(mail, tableResolver(dns))).toMatchObject([
      { result: "permerror", cause: "key-identity" },
    ]);
  });

  it("a signature that has expired, from the second after", async () => {
    const mail = await signMail(MAIL, [rsa], { expiresAfterSeconds: 60 });
    const at = async (time: string) =>
      (await verifyMail(mail, tableResolver(dns), { now: new Date(time) }))[0];
    expect(await at("2026-11-21T12:01:00Z")).toMatchObject({ result: "pass" });
    expect(await at("2026-11-21T12:01:01Z")).toMatchObject({ result: "policy", cause: "expired" });
  });
});

describe("bounds", () => {
  /** The signer never writes l=; this one covers the first eight octets of the body, "signed" and its line end. */
  const limited = (): MailText => {
    const body = Buffer.from("signed\r\nfooter\r\n");
    const bodyHash = createHash("sha256").update(body.subarray(0, 8)).digest("base64");
    const tags = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=ed; h=from; l=8";
    const unsigned = headerField("DKIM-Signature", ` ${tags}; bh=${bodyHash}; b=`);
    const fields = pickFields(indexFields(MAIL.fields), ["from"]);
    const data = Buffer.from(signNow(ed, headerData(fields, unsigned, "relaxed")) as Uint8Array);
    const signature = headerField("DKIM-Signature", unsigned.value + data.toString("base64"));
    return { fields: [signature, ...MAIL.fields], body };
  };

  it("text beyond l= earns nothing, though what is signed is right", async () => {
    const mail = limited();
    const [whole] = await verifyMail({ ...mail, body: mail.body.subarray(0, 8) }, tableResolver(DNS));
    expect(whole).toMatchObject({ result: "pass" });
    const [longer] = await verifyMail(mail, tableResolver(DNS));
    expect(longer).toMatchObject({ result: "policy", cause: "unsigned-text" });
    expect(longer!.problem).toContain("8 octets at the end");
  });

  it("looks at eight signatures, and makes three hashes of the body", async () => {
    const mail = await signMail(
      MAIL,
      Array.from({ length: 12 }, () => ed),
    );
    const resolver = tableResolver(DNS);
    expect(await verifyMail(mail, resolver)).toHaveLength(8);
    expect(resolver.asked).toHaveLength(8);
    const distinct = edited(mail, (fields) =>
      fields.map((field, at) => field.replace("v=1;", `v=1; l=${at};`)),
    );
    const causes = (await verifyMail(distinct, tableResolver(DNS))).map(({ cause }) => cause);
    expect(causes).toEqual([...Array(3).fill("body-changed"), ...Array(5).fill("too-many-body-hashes")]);
  });
});
