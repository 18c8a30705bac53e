import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { verifyMail } from "../../test/support/dkim-mail.ts";
import { mailText } from "../../test/support/mail-text.ts";
import { milterSettings } from "../../test/support/milter-settings.ts";
import { a, ptr, type Table, tableResolver, txt } from "../../test/support/table-resolver.ts";
import { parseAuthenticationResults } from "../standards/auth-results/header.ts";
import { DkimKeyRing } from "../standards/dkim/key-lookup.ts";
import { formatDkimKey, recordForKey } from "../standards/dkim/key-record.ts";
import { dkimPublicKeyOf } from "../standards/dkim/public-key.ts";
import type { DkimSelector } from "../standards/dkim/selector.ts";
import { type SigningKey, signNow } from "../standards/dkim/sign.ts";
import { domainName } from "../standards/dns/name.ts";
import { type HeaderField, headerField } from "../standards/message/header-field.ts";
import { formatLogLine } from "./log-line.ts";
import type { MailOutcome, MessageHandler } from "./mail-handler.ts";
import { connectMail, HEADER_LIMITS, type MessageRecord, type MilterMeans } from "./mail-milter.ts";
import { formatMetricsOf, MilterMetrics } from "./metrics.ts";
import type { MilterSettings } from "./settings.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const publicKey = dkimPublicKeyOf(privateKey);
if (!publicKey.ok) throw new Error(publicKey.problem);
const KEY: SigningKey = {
  signingDomain: domainName("example.org"),
  dkimSelector: "s1" as DkimSelector,
  keyType: "ed25519",
  privateKey,
};
const DNS: Table = {
  "s1._domainkey.example.org": [txt(formatDkimKey(recordForKey(publicKey.value)))],
  "example.org": [txt("v=spf1 ip4:192.0.2.1 -all")],
  "_dmarc.example.org": [txt("v=DMARC1; p=reject")],
  "1.2.0.192.in-addr.arpa": [ptr("mail.example.org")],
  "mail.example.org": [a("192.0.2.1")],
};
const MAIL = "From: Ann <ann@example.org>\nTo: bob@example.net\nSubject: hello\n\nHello\n";

interface Passed {
  readonly outcome: MailOutcome;
  readonly record: MessageRecord;
  /** The fields as they go on, removals and insertions done. */
  readonly fields: readonly HeaderField[];
  readonly body: Buffer;
}

async function pass(
  text: string,
  {
    settings = milterSettings(),
    login,
    address = "192.0.2.1",
    mailFrom = "ann@example.org",
    dns = DNS,
  }: {
    readonly settings?: MilterSettings;
    readonly login?: string;
    readonly address?: string | null;
    readonly mailFrom?: string;
    readonly dns?: Table;
  } = {},
): Promise<Passed> {
  const records: MessageRecord[] = [];
  const means: MilterMeans = {
    settings,
    table: { keysFor: (domain) => ({ keys: domain === "example.org" ? [KEY] : [], lack: "no-key" }) },
    keys: new DkimKeyRing(),
    openResolver: () => ({ resolver: tableResolver(dns), close: () => {} }),
    now: () => new Date("2026-11-21T12:00:00Z"),
    signData: signNow,
    onMessage: (record) => records.push(record),
  };
  const connection = {
    hostName: "mail.example.org",
    address: address ?? undefined,
    port: 1,
    macros: new Map([["j", "mx.example.org"]]),
  };
  const macros = new Map([["i", "4ABC"], ...(login === undefined ? [] : [["auth_authen", login] as const])]);
  const message: MessageHandler = connectMail(connection, () => means).begin({
    helo: "mail.example.org",
    mailFrom,
    macros,
  });
  const { fields, body } = mailText(text);
  for (const field of fields) message.header(field);
  if ((await message.endOfHeaders()) === "continue") message.body(body);
  const outcome = await message.end(macros);
  const counts = new Map<string, number>();
  const left = fields.filter(({ key }) => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return !outcome.changes.some(
      (change) =>
        change.kind === "remove" &&
        change.name.toLowerCase() === key &&
        change.occurrence === counts.get(key),
    );
  });
  const added = outcome.changes.flatMap((change) =>
    change.kind === "insert" ? [headerField(change.name, change.value)] : [],
  );
  return { outcome, record: records[0]!, fields: [...added, ...left], body };
}

function resultsIn({ fields }: Passed): Record<string, string> {
  const parsed = parseAuthenticationResults(
    fields.find(({ key }) => key === "authentication-results")!.value,
  );
  if (!parsed.ok) throw new Error(parsed.problem);
  expect(parsed.value.authservId).toBe("mx.example.org");
  return Object.fromEntries(parsed.value.results.map(({ method, result }) => [method, result]));
}

describe("outgoing mail", () => {
  it("is signed, and passes where it arrives", async () => {
    const sent = await pass(MAIL, { login: "ann" });
    expect(sent.fields[0]!.name).toBe("DKIM-Signature");
    expect(await verifyMail(sent, tableResolver(DNS))).toMatchObject([{ result: "pass" }]);
    const arrived = await pass(
      `${sent.fields.map(({ name, value }) => `${name}:${value}`).join("\r\n")}\r\n\r\nHello\r\n`,
    );
    expect(resultsIn(arrived)).toEqual({
      dmarc: "pass",
      spf: "pass",
      dkim: "pass",
      arc: "none",
      iprev: "pass",
    });
  });

  it.each<[string, string, Parameters<typeof pass>[1], string]>([
    ["no key for its author", MAIL.replace("ann@example.org", "ann@example.net"), {}, "no-key"],
    ["no author", MAIL.replace(/^From: .*\n/, ""), {}, "no-author"],
    ["two authors", MAIL.replace("ann@example.org>", "ann@example.org>, eve@example.net"), {}, "no-author"],
    [
      "an author who is not the one that logged in",
      MAIL,
      {
        login: "eve@example.net",
        settings: milterSettings({ signing: { ...milterSettings().signing, logins: "own" } }),
      },
      "not-own-domain",
    ],
    ["a header beyond the limits", `${"X: y\n".repeat(HEADER_LIMITS.fields)}${MAIL}`, {}, "header-too-large"],
  ])("with %s goes on unsigned", async (_what, text, options, because) => {
    const { outcome, record } = await pass(text, { login: "ann", ...options });
    expect(outcome).toEqual({ action: { kind: "accept" }, changes: [] });
    expect(record.signing).toEqual({ keys: [], unsignedBecause: because });
    expect(formatLogLine(record)).toContain(`signed=no because=${because}`);
  });

  it("of one's own domain is signed where logins count", async () => {
    const settings = milterSettings({ signing: { ...milterSettings().signing, logins: "own" } });
    for (const login of ["ann@EXAMPLE.org", "ann"])
      expect((await pass(MAIL, { login, settings })).record.signing?.keys).toHaveLength(1);
  });

  it("of this host itself is signed", async () => {
    expect((await pass(MAIL, { address: null })).fields[0]!.name).toBe("DKIM-Signature");
  });
});

describe("incoming mail", () => {
  it("is marked, and loses results that claim to be ours", async () => {
    const forged = [
      "Authentication-Results: mx.example.org; dmarc=pass",
      "Authentication-Results: elsewhere.example; spf=pass",
      'authentication-results: (really) "MX.EXAMPLE.ORG"; dkim=pass',
    ].join("\n");
    const passed = await pass(`${forged}\n${MAIL}`, { mailFrom: "eve@example.net", address: "192.0.2.66" });
    expect(resultsIn(passed)).toEqual({
      dmarc: "fail",
      spf: "none",
      dkim: "none",
      arc: "none",
      iprev: "permerror",
    });
    expect(
      passed.fields
        .filter(({ key }) => key === "authentication-results")
        .map(({ value }) => value.trim().split(";")[0]),
    ).toEqual(["mx.example.org", "elsewhere.example"]);
    expect(passed.outcome.action).toEqual({ kind: "accept" });
    expect(passed.record.forgedResults).toBe(2);
  });

  it("is refused where policy says so, and DNS that is down refuses nothing", async () => {
    const settings = milterSettings({ policy: { dmarcFail: "as-asked" } });
    const stranger = { mailFrom: "eve@example.net", address: "192.0.2.66", settings };
    expect((await pass(MAIL, stranger)).outcome.action).toMatchObject({
      kind: "reply",
      code: 550,
      status: "5.7.1",
    });
    const down: Table = Object.fromEntries(
      [...Object.keys(DNS), "example.net", "org"].map((name) => [name, "timeout"]),
    );
    const passed = await pass(MAIL, {
      ...stranger,
      dns: { ...down, "_dmarc.org": "timeout", "66.2.0.192.in-addr.arpa": "timeout" },
    });
    expect(passed.outcome.action).toEqual({ kind: "accept" });
    expect(resultsIn(passed)).toMatchObject({ dmarc: "temperror", spf: "temperror", iprev: "temperror" });
  });

  it("gets a seal where one is wished for, over what goes on", async () => {
    const settings = milterSettings({ sealAs: domainName("example.org") });
    const forged = "Authentication-Results: mx.example.org; dmarc=fail";
    const passed = await pass(`${forged}\n${MAIL}`, { settings });
    expect(passed.fields.slice(0, 4).map(({ name }) => name)).toEqual([
      "ARC-Seal",
      "ARC-Message-Signature",
      "ARC-Authentication-Results",
      "Authentication-Results",
    ]);
    const text = `${passed.fields.map(({ name, value }) => `${name}:${value}`).join("\r\n")}\r\n\r\nHello\r\n`;
    expect(resultsIn(await pass(text))).toMatchObject({ arc: "pass" });
  });

  it("with a header beyond the limits gets no seal, since nobody has read what it would vouch for", async () => {
    const settings = milterSettings({ sealAs: domainName("example.org") });
    const passed = await pass(`${"X: y\n".repeat(HEADER_LIMITS.fields + 1)}${MAIL}`, { settings });
    expect(passed.fields.map(({ key }) => key)).not.toContain("arc-seal");
  });

  it("with a header beyond the limits is marked as having no author", async () => {
    const passed = await pass(`${"X: y\n".repeat(HEADER_LIMITS.fields + 1)}${MAIL}`);
    expect(resultsIn(passed)).toMatchObject({ dmarc: "permerror", dkim: "none", spf: "pass" });
    const { value } = passed.fields.find(({ key }) => key === "authentication-results")!;
    // Nobody looked, and that is said of each that would have had to: none of them is missing.
    expect(value.replace(/\s+/g, " ").match(/was not read/g)).toHaveLength(3);
    expect(value).not.toContain("no From field");
    expect(formatLogLine(passed.record)).toContain("header=too-large");
  });
});

describe("what is told of messages", () => {
  it("is one line, whatever a client wrote", async () => {
    const { record } = await pass(MAIL, { mailFrom: 'a" b=c\r\nid=FORGED@example.org' });
    const line = formatLogLine(record);
    expect(line).not.toMatch(/[\r\n]/);
    expect(line).toContain('mail-from="<a\\" b=c\\r\\nid=FORGED@example.org>"');
    expect(line).toMatch(/^id=4ABC direction=in by=client client=192\.0\.2\.1 /);
  });

  it("is counted", async () => {
    const metrics = new MilterMetrics();
    metrics.record((await pass(MAIL)).record);
    metrics.record((await pass(MAIL, { login: "ann" })).record);
    metrics.record((await pass(MAIL.replace("@example.org", "@example.net"), { login: "ann" })).record);
    const page = formatMetricsOf([metrics.counts(), metrics.counts()], 2);
    for (const line of [
      'zonepost_milter_messages_total{direction="in",action="accept"} 2',
      'zonepost_milter_messages_total{direction="out",action="accept"} 4',
      'zonepost_milter_results_total{method="dkim",result="none"} 2',
      'zonepost_milter_signatures_total{algorithm="ed25519"} 2',
      'zonepost_milter_unsigned_total{reason="no-key"} 2',
      'zonepost_milter_message_seconds_bucket{direction="in",le="+Inf"} 2',
      "zonepost_milter_workers 2",
    ])
      expect(page.split("\n")).toContain(line);
    for (const line of page.trim().split("\n"))
      expect(line).toMatch(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{[^{}]*\})? [\d.e-]+)$/);
  });
});
