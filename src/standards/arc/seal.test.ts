import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type MailText, mailText } from "../../../test/support/mail-text.ts";
import { tableResolver, txt } from "../../../test/support/table-resolver.ts";
import { BodyHasher } from "../dkim/body-hash.ts";
import { DkimKeyRing } from "../dkim/key-lookup.ts";
import { formatDkimKey, recordForKey } from "../dkim/key-record.ts";
import { dkimPublicKeyOf } from "../dkim/public-key.ts";
import type { DkimSelector } from "../dkim/selector.ts";
import type { SigningKey } from "../dkim/sign.ts";
import { readSignatureTags } from "../dkim/signature.ts";
import { indexFields } from "../dkim/signed-fields.ts";
import { domainName } from "../dns/name.ts";
import type { Resolver } from "../dns/resolver.ts";
import { type HeaderField, headerField } from "../message/header-field.ts";
import { readArcSets } from "./arc-set.ts";
import { ArcSealer } from "./seal.ts";
import { type ArcValidation, ArcValidator } from "./validate.ts";

async function validate({ fields, body }: MailText, resolver: Resolver): Promise<ArcValidation> {
  const hasher = new BodyHasher();
  const validator = new ArcValidator(indexFields(fields), hasher, { resolver, keys: new DkimKeyRing() });
  hasher.update(body);
  hasher.finish();
  return await validator.finish();
}

async function seal(
  { fields, body }: MailText,
  key: SigningKey,
  chainStatus: "none" | "pass" | "fail",
  authenticationResults: string,
  seconds = 12_345,
): Promise<readonly HeaderField[] | undefined> {
  const hasher = new BodyHasher();
  const sealer = new ArcSealer(hasher, { key, now: new Date(seconds * 1_000) });
  hasher.update(body);
  hasher.finish();
  const index = indexFields(fields);
  return await sealer.finish({ index, before: readArcSets(index), chainStatus, authenticationResults });
}

const { privateKey } = generateKeyPairSync("ed25519");
const KEY: SigningKey = {
  signingDomain: domainName("lists.example.org"),
  dkimSelector: "arc" as DkimSelector,
  keyType: "ed25519",
  privateKey,
};
const publicKey = dkimPublicKeyOf(privateKey);
if (!publicKey.ok) throw new Error(publicKey.problem);
const DNS = tableResolver({
  "arc._domainkey.lists.example.org": [txt(formatDkimKey(recordForKey(publicKey.value)))],
});

const MAIL = mailText("From: ann@example.org\nSubject: a\nDKIM-Signature: v=1; a=x\n\nHello\n");

describe("a chain", () => {
  it("grows by one set at each station, up to fifty, and passes all the way", async () => {
    let mail = MAIL;
    for (let station = 1; station <= 50; station += 1) {
      const before = await validate(mail, DNS);
      expect(before.result).toBe(station === 1 ? "none" : "pass");
      const set = await seal(
        mail,
        KEY,
        station === 1 ? "none" : "pass",
        `mx${station}.example.org; spf=pass`,
      );
      expect(set?.map(({ name }) => name)).toEqual([
        "ARC-Seal",
        "ARC-Message-Signature",
        "ARC-Authentication-Results",
      ]);
      mail = { ...mail, fields: [...set!, ...mail.fields] };
    }
    const { result, oldestPass, sets } = await validate(mail, DNS);
    expect([result, oldestPass, sets.length]).toEqual(["pass", 0, 50]);
    expect(sets[49]).toEqual({
      instance: 1,
      signingDomain: "lists.example.org",
      authenticationResults: "mx1.example.org; spf=pass",
    });
    expect(await seal(mail, KEY, "pass", "mx51.example.org; none")).toBeUndefined();
  });

  it("tells from where on the message is unchanged", async () => {
    const one = { ...MAIL, fields: [...(await seal(MAIL, KEY, "none", "a; none"))!, ...MAIL.fields] };
    const changed = { ...one, body: Buffer.from("Hello\r\n-- \r\nthe list\r\n") };
    expect(await validate(changed, DNS)).toMatchObject({ result: "fail", isTemporary: false });
    const two = {
      ...changed,
      fields: [...(await seal(changed, KEY, "pass", "b; none"))!, ...changed.fields],
    };
    expect(await validate(two, DNS)).toMatchObject({ result: "pass", oldestPass: 2 });
  });

  it("that failed is sealed once more, with that set alone, and then never again", async () => {
    const one = { ...MAIL, fields: [...(await seal(MAIL, KEY, "none", "a; none"))!, ...MAIL.fields] };
    const broken = { ...one, body: Buffer.from("other\r\n") };
    const set = (await seal(broken, KEY, "fail", "b; arc=fail"))!;
    expect(set[0]!.value).toContain("cv=fail");
    const closed = { ...broken, fields: [...set, ...broken.fields] };
    expect(await validate(closed, DNS)).toMatchObject({
      result: "fail",
      problem: "the seal i=2 says cv=fail",
    });
    expect(await seal(closed, KEY, "fail", "c; arc=fail")).toBeUndefined();
  });

  it("is not judged for good while DNS does not answer", async () => {
    const one = { ...MAIL, fields: [...(await seal(MAIL, KEY, "none", "a; none"))!, ...MAIL.fields] };
    const silent = tableResolver({ "arc._domainkey.lists.example.org": "timeout" });
    expect(await validate(one, silent)).toMatchObject({ result: "fail", isTemporary: true });
  });
});

const SUITE = "../shared/corpora/arc/arc-sign.json";
const isThere = existsSync(SUITE);
if (!isThere) console.warn(`${SUITE} is not there: the signing cases of the ARC suite are not run`);

interface SignCase {
  readonly message: string;
  readonly t: number;
  readonly AS: string;
  readonly AMS: string;
  readonly AAR: string;
}
interface Scenario {
  readonly description: string;
  readonly privatekey: string;
  readonly tests: Readonly<Record<string, SignCase>>;
  readonly "txt-records": Readonly<Record<string, string>>;
}

describe.skipIf(!isThere)("the signing cases of the ARC suite", () => {
  const scenarios: readonly Scenario[] = isThere ? JSON.parse(readFileSync(SUITE, "utf8")).scenarios : [];
  const cases = scenarios.flatMap((scenario) =>
    Object.entries(scenario.tests).map(([name, one]) => ({ name, scenario, ...one })),
  );

  it("are all there", () => {
    expect(cases).toHaveLength(17);
  });

  it.each(cases)("$name", async ({ scenario, message, t, AS, AMS, AAR }) => {
    const resolver = tableResolver(
      Object.fromEntries(
        Object.entries(scenario["txt-records"]).map(([name, text]) => [name, [txt(text.replace(/\n/g, ""))]]),
      ),
    );
    const mail = mailText(message);
    const key: SigningKey = {
      signingDomain: domainName("example.org"),
      dkimSelector: "dummy" as DkimSelector,
      keyType: "rsa",
      privateKey: createPrivateKey(scenario.privatekey),
    };
    // The suite breaks b= into lines; what it signed had it in one, and relaxing keeps such a blank.
    const asField = (name: string, text: string) =>
      headerField(
        name,
        ` ${text
          .trim()
          .replace(/(?<=b=[\w+/=\n]*)\n(?=[\w+/=]+(?:;|\n))/g, "")
          .replace(/\n/g, "\r\n ")}`,
      );
    const tagsOf = (value: string) => {
      const tags = readSignatureTags(value);
      if (!tags.ok) throw new Error(tags.problem);
      return Object.fromEntries([...tags.value].filter(([name]) => name !== "b" && name !== "h"));
    };
    const status = /cv=(\w+)/.exec(AS)?.[1] as "none" | "pass" | "fail" | undefined;
    const set = await seal(mail, key, status ?? "fail", AAR.replace(/^i=\d+;/, "").trim(), t);
    if (AS === "") {
      expect(set).toBeUndefined();
      return;
    }
    const theirs = [
      asField("ARC-Seal", AS),
      asField("ARC-Message-Signature", AMS),
      asField("ARC-Authentication-Results", AAR),
    ];
    expect(set!.map(({ name }) => name)).toEqual(theirs.map(({ name }) => name));
    expect(tagsOf(set![0]!.value)).toEqual(tagsOf(theirs[0]!.value));
    expect(tagsOf(set![1]!.value)).toEqual(tagsOf(theirs[1]!.value));
    for (const added of [set!, theirs]) {
      const { result, problem } = await validate({ ...mail, fields: [...added, ...mail.fields] }, resolver);
      if (status === "fail") expect(problem).toMatch(/^the seal i=\d says cv=fail$/);
      else expect([result, problem]).toEqual(["pass", undefined]);
    }
  });
});
