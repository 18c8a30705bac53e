import { constants, createHash, generateKeyPairSync, type KeyObject, privateEncrypt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { signMail, verifyMail } from "../../../test/support/dkim-mail.ts";
import { type MailText, mailText } from "../../../test/support/mail-text.ts";
import { fc } from "../../../test/support/random-inputs.ts";
import { tableResolver, txt } from "../../../test/support/table-resolver.ts";
import { domainName } from "../dns/name.ts";
import { headerField } from "../message/header-field.ts";
import { diagnoseDkim } from "./diagnose.ts";
import type { DkimDiagnosis } from "./diagnosis.ts";
import { formatDkimKey, recordForKey } from "./key-record.ts";
import { dkimPublicKeyOf } from "./public-key.ts";
import type { DkimSelector } from "./selector.ts";
import type { SignData, SigningKey, SigningOptions } from "./sign.ts";

const rsa = signingKey("rsa", generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey);
const other = signingKey("rsa", generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey);
const long = signingKey("rsa", generateKeyPairSync("rsa", { modulusLength: 1536 }).privateKey);
const ed = signingKey("ed", generateKeyPairSync("ed25519").privateKey);

function signingKey(selector: string, privateKey: KeyObject): SigningKey {
  const keyType = privateKey.asymmetricKeyType === "rsa" ? "rsa" : "ed25519";
  const signingDomain = domainName("example.org");
  return { signingDomain, dkimSelector: selector as DkimSelector, keyType, privateKey };
}

function recordOf({ privateKey }: SigningKey): string {
  const key = dkimPublicKeyOf(privateKey);
  if (!key.ok) throw new Error(key.problem);
  return formatDkimKey(recordForKey(key.value));
}

const DNS = tableResolver({
  "rsa._domainkey.example.org": [txt(recordOf(rsa))],
  "ed._domainkey.example.org": [txt(recordOf(ed))],
});

const HEADER = `From: Ann <ann@example.org>
To: bob@example.net, Carol <carol@example.net>
Subject: Plans for May
Date: Sat, 21 Nov 2026 12:00:00 +0000
Message-ID: <1@example.org>
`;
const MAIL = `${HEADER}
Hello Bob,

how are you?
-- 
Ann
`;
const MIME = (encoding: string, text: string) => `${HEADER}MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=x

--x
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: ${encoding}

${text}
--x
Content-Type: text/html; charset=us-ascii

<p>Hello</p>
--x--
`;
const GREETING =
  "Grüße aus Köln = schöne Stadt, und wieder eine lange Zeile, die nicht in sechsundsiebzig Zeichen passt, sondern in zwei.";

const octetsOf = ({ fields, body }: MailText): string =>
  `${fields.map(({ name, value }) => `${name}:${value}\r\n`).join("")}\r\n${body.toString("latin1")}`;

/** As `mailText`, of octets. */
function mailOf(octets: string): MailText {
  const end = octets.indexOf("\r\n\r\n");
  const fields = octets
    .slice(0, end)
    .split(/\r\n(?![ \t])/)
    .map((line) => headerField(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)));
  return { fields, body: Buffer.from(octets.slice(end + 4), "latin1") };
}

type Options = Partial<SigningOptions>;
const SIMPLE: Options = { headerCanonicalization: "simple", bodyCanonicalization: "simple" };

async function diagnosed(
  mail: string | MailText,
  change: (octets: string) => string,
  options: Options = {},
  key = rsa,
): Promise<readonly DkimDiagnosis[]> {
  const signed = octetsOf(await signMail(typeof mail === "string" ? mailText(mail) : mail, [key], options));
  const changed = change(signed);
  expect(changed, "the change changes something").not.toBe(signed);
  const message = mailOf(changed);
  const [verification] = await verifyMail(message, DNS);
  return diagnoseDkim(verification!, message);
}

/** In the order of the report. */
const causes = (all: readonly DkimDiagnosis[]) => all.map(({ cause, certainty }) => `${cause} ${certainty}`);

const FOOTER =
  "_______________________________________________\r\nplans mailing list\r\nplans@lists.example.net\r\n";
const QP = (text: string) =>
  [...Buffer.from(text)]
    .map((octet) =>
      octet > 126 || octet === 61 ? `=${octet.toString(16).toUpperCase()}` : String.fromCharCode(octet),
    )
    .join("");
const toQp = (octets: string) =>
  octets.replace(
    /(Content-Transfer-Encoding: )8bit\r\n\r\n([\s\S]*?)\r\n--x/,
    (_, field, text) =>
      `${field}quoted-printable\r\n\r\n${QP(Buffer.from(text, "latin1").toString("utf8"))}\r\n--x`,
  );
const fromQp = (octets: string) =>
  octets.replace(
    /(Content-Transfer-Encoding: )quoted-printable\r\n\r\n([\s\S]*?)\r\n--x/,
    (_, field) => `${field}8bit\r\n\r\n${Buffer.from(GREETING).toString("latin1")}\r\n--x`,
  );
const FOLDED_QP =
  "Gr=C3=BC=C3=9Fe aus K=C3=B6ln =3D sch=C3=B6ne Stadt, und wieder eine lange =\nZeile, die nicht in sechsundsiebzig Zeichen passt, sondern in zwei.";

describe("the body", () => {
  it.each<readonly [string, string, (octets: string) => string, Options, RegExp]>([
    ["body-text-added", MAIL, (text) => text + FOOTER, {}, /3 lines.* at its end/],
    ["body-text-added", MAIL, (text) => text + FOOTER, SIMPLE, /3 lines.* at its end/],
    ["body-text-added", MAIL, (text) => `${text}\r\n\r\none\r\n`, {}, /at its end/],
    [
      "body-text-added",
      MAIL,
      (text) => text.replace("Hello", "CAUTION: mail from outside\r\n\r\nHello"),
      {},
      /2 lines.* at its top/,
    ],
    ["body-text-added", MAIL, (text) => text.replace("how are", "BUY\r\nhow are"), {}, /One line.* in it/],
    [
      "body-text-added",
      MIME("7bit", "Hello"),
      (text) => text.replace(/\r\n--x(\r\n|--)/g, `\r\n${FOOTER}--x$1`).replace(FOOTER, ""),
      {},
      /two of its parts/,
    ],
    [
      "body-wrapped",
      MAIL,
      (text) =>
        text.replace("\r\n\r\n", "\r\nContent-Type: multipart/mixed; boundary=l\r\n\r\n--l\r\n\r\n") +
        `\r\n--l\r\n\r\n${FOOTER}--l--\r\n`,
      {},
      /part of a new multipart/,
    ],
    ["body-blanks", MAIL, (text) => text.replace("you?", "you?  "), SIMPLE, /at the ends of lines/],
    ["body-blanks", MAIL, (text) => text.replace("-- \r\n", "--\r\n"), SIMPLE, /footer/],
    ["body-blanks", `${HEADER}\n\tone\n`, (text) => text.replace("\n\tone", "\n        one"), SIMPLE, /Tabs/],
    ["body-empty-lines", MAIL, (text) => text.replace("\r\n\r\n", "\r\n\r\n\r\n"), {}, /top/],
    [
      "body-empty-lines",
      MAIL.replace("\n\n", "\n\n\n"),
      (text) => text.replace("\r\n\r\n\r\n", "\r\n\r\n"),
      {},
      /taken away/,
    ],
    [
      "body-dots",
      `${HEADER}\n..a\n.\n`,
      (text) => text.replace("\r\n..a\r\n.\r\n", "\r\n...a\r\n..\r\n"),
      {},
      /doubled/,
    ],
    [
      "body-dots",
      `${HEADER}\n..a\n.b\n`,
      (text) => text.replace("\r\n..a\r\n.b", "\r\n.a\r\nb"),
      {},
      /not found/,
    ],
    ["body-dots", `${HEADER}\n..a\n`, (text) => text.replace("\r\n..a", "\r\n.a"), {}, /missing/],
    [
      "body-from-lines",
      `${HEADER}\nx\nFrom here\n`,
      (text) => text.replace("\nFrom here", "\n>From here"),
      {},
      /mbox/,
    ],
    [
      "body-from-lines",
      `${HEADER}\nx\n>From here\n`,
      (text) => text.replace("\n>From here", "\nFrom here"),
      {},
      /lost/,
    ],
    [
      "body-long-lines",
      `${HEADER}\n${"long ".repeat(500)}\n`,
      (text) => text.replace(/[^\r\n]{998}(?=[^\r\n])/g, "$&\r\n"),
      {},
      /998/,
    ],
    [
      "body-long-lines",
      `${HEADER}\n${"long".repeat(500)}\n`,
      (text) => text.replace(/[^\r\n]{998}(?=[^\r\n])/g, "$&\r\n "),
      {},
      /998/,
    ],
    [
      "body-long-lines",
      `${HEADER}\n${"long".repeat(500)}\n`,
      (text) => text.replace(/[^\r\n]{989}(?=[^\r\n])/g, "$&!\r\n"),
      {},
      /990/,
    ],
    ["body-encoding", MIME("8bit", GREETING), toQp, {}, /from 8bit into quoted-printable/],
    ["body-encoding", MIME("quoted-printable", FOLDED_QP), fromQp, {}, /from quoted-printable into 8bit/],
    [
      "body-charset",
      MIME("8bit", GREETING),
      (text) =>
        text.replaceAll("Ã\u00bc", "\u00fc").replaceAll("Ã\u009f", "\u00df").replaceAll("Ã\u00b6", "\u00f6"),
      {},
      /from UTF-8 into/,
    ],
    ["body-empty-signed", HEADER, (text) => `${text}text\r\n`, {}, /empty body/],
    [
      "body-links-rewritten",
      `${HEADER}\nSee https://example.org/a?b=c for\n`,
      (text) =>
        text.replace(
          "https://example.org/a?b=c",
          "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.org%2Fa%3Fb%3Dc&data=05%7C01&sdata=x&reserved=0",
        ),
      {},
      /filter/,
    ],
  ])("%s: of %j", async (cause, mail, change, options, words) => {
    const [first] = await diagnosed(mail, change, options);
    if (words.source === "not found")
      expect(first).toMatchObject({ certainty: "proven", cause: "header-intact" });
    else
      expect(first).toMatchObject({
        part: "body",
        cause,
        certainty: "proven",
        explanation: expect.stringMatching(words),
      });
  });

  it("LF signed as they are", async () => {
    const { fields } = mailText(MAIL);
    const signed = await signMail({ fields, body: Buffer.from("one\ntwo\n") }, [rsa]);
    const message = { ...signed, body: Buffer.from("one\r\ntwo\r\n") };
    const [verification] = await verifyMail(message, DNS);
    expect(diagnoseDkim(verification!, message)[0]).toMatchObject({
      cause: "body-line-ends",
      certainty: "proven",
    });
  });

  it("quotes what was added", async () => {
    const [first] = await diagnosed(MAIL, (text) => text + FOOTER);
    expect(first!.evidence).toEqual(FOOTER.trimEnd().split("\r\n"));
  });

  it("tells two changes at once, where one of them is added text", async () => {
    const [first] = await diagnosed(
      `${HEADER}\nx\nFrom here\n`,
      (text) => text.replace("\nFrom here", "\n>From here") + FOOTER,
    );
    expect(first).toMatchObject({
      certainty: "proven",
      explanation: expect.stringMatching(/mbox files\. Besides: 3 lines/),
    });
  });

  it("says that the header is as it was", async () => {
    expect(causes(await diagnosed(MAIL, (text) => text + FOOTER))).toEqual([
      "body-text-added proven",
      "header-intact proven",
    ]);
  });

  it("and what was changed in the header besides", async () => {
    const both = await diagnosed(MAIL, (text) => text.replace("Subject: ", "Subject: [plans] ") + FOOTER);
    expect(causes(both)).toEqual(["body-text-added proven", "header-field-altered proven"]);
  });

  it("tells a text that a list encoded anew with its footer in it", async () => {
    const mail = `${HEADER}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${GREETING}\n`;
    const all = await diagnosed(mail, (octets) => {
      const at = octets.indexOf("\r\n\r\n") + 4;
      const text = Buffer.from(octets.slice(at) + FOOTER, "latin1").toString("base64");
      const header = octets.slice(0, at).replace("Encoding: 8bit", "Encoding: base64");
      return `${header}${text.replace(/.{76}/g, "$&\r\n")}\r\n`.replace("Subject: ", "Subject: [plans] ");
    });
    expect(all).toMatchObject([
      { certainty: "proven", explanation: expect.stringMatching(/from 8bit into base64.*Besides: 3 lines/) },
      {
        part: "header",
        certainty: "proven",
        evidence: ["was Plans for May", "is [plans] Plans for May", "was 8bit", "is base64"],
      },
    ]);
  });

  it("takes signs for what they are, where nothing can be undone", async () => {
    const all = await diagnosed(
      MAIL,
      (text) => `${text.replace("Hello", "Hullo")}-- \r\nTo unsubscribe, write to the list\r\n`,
    );
    expect(causes(all)).toEqual(["header-intact proven", "body-text-added likely"]);
  });

  it("is quick for a body of many lines", { timeout: 20_000 }, async () => {
    const mail = {
      ...mailText(MAIL),
      body: Buffer.from("A line of some length, as they are.\r\n".repeat(200_000)),
    };
    const all = await diagnosed(mail, (text) => text.replace(/A line/, "B line"));
    expect(causes(all)).toEqual(["header-intact proven", "not-found none"]);
  });
});

const Z = `z=From:=20Ann=20<ann@example.org>|To:=20bob@example.net,=20Carol=20<carol@example.net>|Subject:=20Plans=20for=20May`;

describe("the header", () => {
  it.each<readonly [string, string, (octets: string) => string, Options, RegExp]>([
    [
      "header-field-altered",
      MAIL,
      (text) => text.replace("Subject: ", "Subject: [plans] "),
      {},
      /Subject.*"\[plans\]" was put before/,
    ],
    [
      "header-field-altered",
      MAIL.replace("Plans", "Re: Plans"),
      (text) => text.replace("Re: ", "Re: [plans] "),
      {},
      /Subject/,
    ],
    ["header-field-altered", MAIL, (text) => text.replace("Subject: ", "Subject: ***SPAM*** "), {}, /SPAM/],
    [
      "header-field-altered",
      MAIL,
      (text) => text.replace("Subject: ", "Subject: [EXTERNAL] [plans] "),
      {},
      /Subject/,
    ],
    [
      "header-field-altered",
      MAIL.replace("Plans", "=?utf-8?q?Pl=C3=A4ne?="),
      (text) => text.replace("=?utf-8?q?Pl=C3=A4ne?= for May", "=?UTF-8?B?UGzDpG5l?= for May"),
      {},
      /not found/,
    ],
    [
      "header-field-altered",
      MAIL.replace("Plans for May", "=?utf-8?q?Pl=C3=A4ne?="),
      (text) => text.replace("=?utf-8?q?Pl=C3=A4ne?=", "=?UTF-8?B?UGzDpG5l?="),
      {},
      /encoded in another way/,
    ],
    [
      "header-field-added",
      MAIL,
      (text) => text.replace("Subject:", "Reply-To: list@lists.example.net\r\nSubject:"),
      {},
      /Reply-To was added/,
    ],
    [
      "header-field-added",
      MAIL,
      (text) => text.replace("Subject:", "Subject: second\r\nSubject:"),
      {},
      /One of the 2 fields Subject/,
    ],
    [
      "header-field-added",
      MAIL,
      (text) => text.replace("Date:", "Subject: second\r\nDate:"),
      {},
      /One of the 2 fields Subject/,
    ],
    [
      "header-field-removed",
      `MIME-Version: 1.0\n${MAIL}`,
      (text) => text.replace("MIME-Version: 1.0\r\n", ""),
      {},
      /MIME-Version was taken away/,
    ],
    [
      "header-field-altered",
      MAIL,
      (text) =>
        text.replace(
          "From: Ann <ann@example.org>",
          "From: Ann via plans <plans@lists.example.net>\r\nReply-To: Ann <ann@example.org>",
        ),
      {},
      /From was changed.*Reply-To was added|Reply-To was added.*From was changed/,
    ],
    [
      "header-field-altered",
      MAIL,
      (text) =>
        text.replace(
          "bob@example.net, Carol <carol@example.net>",
          "Carol <carol@example.net>, bob@example.net",
        ),
      {},
      /another order/,
    ],
    ["header-field-altered", MAIL, (text) => text.replace("+0000", "+0000 (UTC)"), {}, /Date.*comment/],
    [
      "header-field-altered",
      MAIL,
      (text) => text.replace("<1@example.org>", "1@example.org"),
      {},
      /Message-ID.*brackets/,
    ],
    [
      "header-field-altered",
      `Content-Transfer-Encoding: 8bit\n${MAIL}`,
      (text) => text.replace("8bit", "7bit"),
      {},
      /from 8bit into 7bit/,
    ],
    [
      "header-field-altered",
      `Content-Type: text/plain; charset="utf-8"\n${MAIL}`,
      (text) => text.replace('"utf-8"', "utf-8"),
      {},
      /Content-Type/,
    ],
    [
      "header-field-altered",
      MAIL,
      (text) => text.replace("To: bob@example.net, ", "To: bob@example.net,\r\n "),
      SIMPLE,
      /To.*line breaks/,
    ],
    [
      "header-field-altered",
      MAIL,
      (text) => text.replace("Subject: ", "Subject:  "),
      SIMPLE,
      /Subject.*line breaks/,
    ],
    [
      "header-field-altered",
      MAIL,
      (text) => text.replace("Message-ID", "Message-Id"),
      SIMPLE,
      /written in another way/,
    ],
    [
      "header-field-altered",
      MAIL,
      (text) => text.replace(/\r\n\t(?=[a-z]+=)/, "\r\n        "),
      SIMPLE,
      /DKIM-Signature field itself/,
    ],
    [
      "header-order",
      `List-Id: <a>\nList-Id: <b>\n${MAIL}`,
      (text) => text.replace("List-Id: <a>\r\nList-Id: <b>", "List-Id: <b>\r\nList-Id: <a>"),
      {},
      /from the top|another order/,
    ],
  ])("%s: of %j", async (cause, mail, change, options, words) => {
    for (const key of [rsa, ed]) {
      const all = await diagnosed(mail, change, options, key);
      if (words.source.startsWith("not found")) expect(all[0]!.part, "at least no guess").toBe("header");
      else
        expect(all, key.keyType).toMatchObject([
          { part: "header", cause, certainty: "proven", explanation: expect.stringMatching(words) },
        ]);
    }
  });

  it("is compared with z=, where there is one", async () => {
    const mail = mailText(MAIL);
    const [plain] = (await signMail(mail, [rsa])).fields;
    const withCopies = headerField(plain!.name, ` ${Z};${plain!.value}`);
    // Signed anew, with z= in it.
    const { headerData, indexFields, pickFields } = await import("./signed-fields.ts");
    const { parseDkimSignature, withoutSignatureData } = await import("./signature.ts");
    const { signNow } = await import("./sign.ts");
    const parsed = parseDkimSignature(withCopies.value);
    if (!parsed.ok) throw new Error(parsed.problem);
    const bare = withoutSignatureData(withCopies.value);
    const data = headerData(
      pickFields(indexFields(mail.fields), parsed.value.signedFields),
      headerField("DKIM-Signature", bare),
      "relaxed",
    );
    const signature = Buffer.from(await signNow(rsa, data)).toString("base64");
    const fields = [headerField("DKIM-Signature", bare.replace(/b=$/, `b=${signature}`)), ...mail.fields];
    const changed = {
      ...mail,
      fields: fields.map((field) =>
        field.key === "subject" ? headerField("Subject", " Something else") : field,
      ),
    };
    const [verification] = await verifyMail(changed, DNS);
    expect(diagnoseDkim(verification!, changed)).toMatchObject([
      {
        cause: "header-field-altered",
        certainty: "proven",
        explanation: expect.stringContaining("Subject"),
        evidence: ["was Plans for May", "is Something else"],
      },
    ]);
    const twice = {
      ...changed,
      fields: changed.fields.map((field) => (field.key === "date" ? headerField("Date", " never") : field)),
    };
    const [again] = await verifyMail(twice, DNS);
    expect(diagnoseDkim(again!, twice)).toMatchObject([
      { cause: "header-field-altered", certainty: "likely" },
    ]);
  });

  it("has a change that nobody undoes", async () => {
    for (const key of [rsa, ed])
      expect(
        causes(await diagnosed(MAIL, (text) => text.replace("Plans for May", "Money"), {}, key)),
      ).toEqual(["not-found none"]);
  });
});

describe("the key", () => {
  it.each([
    ["other-key", other, undefined, /another key/],
    ["signature-damaged", long, undefined, /192 octets.* 128/],
    ["other-hash", rsa, "3021300906052b0e03021a05000414", /SHA-1/],
  ] as const)("%s", async (cause, key, prefix, words) => {
    const signData: SignData | undefined =
      prefix === undefined
        ? undefined
        : ({ privateKey }, data) =>
            privateEncrypt(
              { key: privateKey, padding: constants.RSA_PKCS1_PADDING },
              Buffer.concat([Buffer.from(prefix, "hex"), createHash("sha1").update(data).digest()]),
            );
    const { BodyHasher } = await import("./body-hash.ts");
    const { DkimSigner } = await import("./sign.ts");
    const { indexFields } = await import("./signed-fields.ts");
    const { SIGNED_AT } = await import("../../../test/support/dkim-mail.ts");
    const mail = mailText(MAIL);
    const hasher = new BodyHasher();
    const signer = new DkimSigner(indexFields(mail.fields), hasher, {
      headerCanonicalization: "relaxed",
      bodyCanonicalization: "relaxed",
      now: SIGNED_AT,
    });
    hasher.update(mail.body);
    hasher.finish();
    const message = {
      ...mail,
      fields: [...(await signer.finish([key], ...(signData ? ([signData] as const) : []))), ...mail.fields],
    };
    const [verification] = await verifyMail(message, DNS);
    expect(diagnoseDkim(verification!, message)).toMatchObject([
      { part: "key", cause, certainty: "proven", explanation: expect.stringMatching(words) },
    ]);
  });
});

it("says nothing of a signature that holds, or that failed by itself", async () => {
  const signed = await signMail(mailText(MAIL), [rsa]);
  const [good] = await verifyMail(signed, DNS);
  expect(diagnoseDkim(good!, signed)).toEqual([]);
  const [gone] = await verifyMail(signed, tableResolver({}));
  expect(diagnoseDkim(gone!, signed)).toEqual([]);
});

describe("mail that is made to keep us busy", () => {
  const many = (count: number, text: string) => text.repeat(count);
  it.each([
    ["blanks", "", `${many(4_000_000, " ")}x\r\n`],
    ["signs of quoting", "", `${many(2_000_000, ">")}x\r\n`],
    ["empty lines", "", `${many(2_000_000, "\r\n")}x\r\n`],
    ["delimiters", "", many(300_000, "--x\r\n")],
    ["links", "", many(40_000, "https://urldefense.com/v3/__x\r\n")],
    ["two octets", "", many(1_000_000, "é")],
    ["blanks in fields", many(60, `Subject: ${many(4_000, " ")}x\n`), "x"],
    ["parentheses", many(60, `Subject: ${many(4_000, "(")}x\n`), "x"],
    ["tags", many(60, `Subject: ${many(1_000, "[a]")}x\n`), "x"],
    ["addresses", many(60, `To: ${many(400, "a@b, ")}c@d\n`), "x"],
  ] as const)("%s", { timeout: 30_000 }, async (_, header, body) => {
    const { fields } = mailText(`${header}${HEADER}`);
    const signed = await signMail({ fields, body: Buffer.from("other\r\n") }, [rsa]);
    const message = {
      fields: signed.fields.map((field) => (field.key === "date" ? headerField("Date", " never") : field)),
      body: Buffer.from(body),
    };
    const [verification] = await verifyMail(message, DNS);
    const begun = performance.now();
    expect(causes(diagnoseDkim(verification!, message))).toEqual(["not-found none", "not-found none"]);
    expect(performance.now() - begun).toBeLessThan(15_000);
  });
});

it("is certain of nothing that was changed in a way it does not know", { timeout: 120_000 }, async () => {
  const signed = octetsOf(await signMail(mailText(MAIL), [rsa]));
  const places = [...signed.matchAll(/(?<=Subject: P|From: A|Hell|how a|\nTo: b|Mess)[a-z]/g)].map(
    ({ index }) => index,
  );
  expect(places.length).toBeGreaterThan(3);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...places),
      fc.stringMatching(/^[0-9#+~]{1,8}$/),
      async (place, text) => {
        const message = mailOf(signed.slice(0, place) + text + signed.slice(place + 1));
        const [verification] = await verifyMail(message, DNS);
        const all = diagnoseDkim(verification!, message);
        expect(all.length).toBeGreaterThan(0);
        expect(
          all.filter(({ certainty, cause }) => certainty === "proven" && cause !== "header-intact"),
        ).toEqual([]);
      },
    ),
    { numRuns: 40 },
  );
});
