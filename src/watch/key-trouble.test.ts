import { describe, expect, it } from "vitest";
import { fixedKey, testKey } from "../../test/support/dkim-keys.ts";
import { BARE, DOMAIN } from "../../test/support/healthy-world.ts";
import { NOW, tableWorld } from "../../test/support/table-world.ts";
import { Context } from "../check/context.ts";
import { type DkimKey, inState, type KeyState } from "../keys/key.ts";
import { keyOwner, keyRecordText, REVOKED_TEXT } from "../keys/key-record-shapes.ts";
import { barKey } from "../keys/rotation.ts";
import { derive } from "../records/derive.ts";
import { readDescription } from "../records/description.ts";
import { renderTxt } from "../standards/dns/txt-rendering.ts";
import { keyTroubleFindings } from "./key-trouble.ts";
import type { PublishTrouble } from "./watch-store.ts";

const DAY = 86_400_000;
const daysAgo = (days: number) => new Date(NOW.getTime() - days * DAY);
const hoursAgo = (hours: number) => daysAgo(hours / 24);

const read = readDescription({
  servers: [{ host: "mail.example.org", addresses: ["192.0.2.25"] }],
  domains: [{ domain: DOMAIN }],
});
if (!read.ok) throw new Error("the description is broken");
const OPTIONS = { ...BARE, description: read.description, derived: derive(read.description) };

/** A key that went through these states, so many days ago each. */
function keyIn(
  selector: string,
  states: Partial<Record<KeyState, number>>,
  barred?: DkimKey["barred"],
): DkimKey {
  const times = Object.entries(states).sort(([, one], [, other]) => other - one) as [KeyState, number][];
  const made = testKey(selector, daysAgo(times[0]![1]).toISOString());
  const key = times.reduce((before, [state, days]) => inState(before, state, daysAgo(days)), made);
  const proven = { everywhereSince: daysAgo(300), cachesClearAt: daysAgo(299) };
  return { ...key, sighting: states.signing === undefined ? {} : proven, ...(barred && { barred }) };
}

type Shown = "key" | "nothing" | "another" | "revoked";

const BASE = `
example.org. 3600 SOA ns1.example.org. hostmaster.example.org. 1 7200 3600 1209600 3600
example.org. 3600 NS ns1.example.org.
example.org. 3600 NS ns2.example.org.
ns1.example.org. 3600 A 192.0.2.53
ns2.example.org. 3600 A 192.0.2.54
`;

function zoneWith(shown: readonly (readonly [DkimKey, Shown])[]): string {
  const lines = shown.flatMap(([key, what]) => {
    const text = {
      key: keyRecordText(key),
      another: keyRecordText(testKey("x", "2026-01-01T00:00:00Z")),
      revoked: REVOKED_TEXT,
      nothing: undefined,
    }[what];
    return text === undefined
      ? []
      : [`${key.dkimSelector}._domainkey.example.org. 3600 TXT ${renderTxt(text, "strings")}`];
  });
  return BASE + lines.join("\n");
}

async function findingsOf(
  keys: readonly DkimKey[],
  shown: readonly Shown[],
  atSecond: readonly Shown[] = shown,
  troubles: readonly PublishTrouble[] = [],
) {
  const pairs = (which: readonly Shown[]) => keys.map((key, at) => [key, which[at]!] as const);
  const world = tableWorld({
    zone: zoneWith(pairs(shown)),
    servers: { "ns2.example.org": { zone: zoneWith(pairs(atSecond)) } },
  });
  return keyTroubleFindings(keys, troubles, new Context(DOMAIN, world, OPTIONS));
}

const signs = keyIn("now", { prepared: 30, published: 29, signing: 28 });
const stopped = { ...keyIn("now", { published: 29, signing: 28, prepared: 1 }), sighting: {} };
const older = keyIn("old", { prepared: 90, published: 81, signing: 80, retiring: 2 });
const fresh = (days: number) => keyIn("next", { prepared: days });
const asRsa = (key: DkimKey): DkimKey => ({ ...key, publicKey: fixedKey("rsa", "x").key.publicKey });
const rsaSigns = asRsa(keyIn("rsa", { prepared: 30, published: 29, signing: 28 }));
const lostInJune = {
  ...keyIn("lost", { published: 301, signing: 300, prepared: 150 }),
  lastSignedAt: daysAgo(150),
};
const lostNow = {
  ...keyIn("lost", { published: 301, signing: 300, prepared: 0.1 }),
  lastSignedAt: daysAgo(0.1),
};
const LOST = "dkim-signing-key-lost";
const WAITS = "dkim-rotation-waits";
const STUCK = "dkim-rotation-stuck";

const troubleOf = (
  action: PublishTrouble["action"],
  dkimSelector: string,
  hours: number,
): PublishTrouble => ({
  action,
  dkimSelector,
  detail: `the provider is gone from ${dkimSelector}`,
  since: hoursAgo(hours).getTime(),
});

describe("keys that are kept", () => {
  it.each<
    [
      reason: string,
      keys: readonly DkimKey[],
      shown: readonly Shown[],
      second: readonly Shown[],
      found: readonly string[],
    ]
  >([
    ["there are none", [], [], [], []],
    ["it signs, and is where it should be", [signs], ["key"], ["key"], []],
    ["its record is gone: mail goes out unsigned", [signs], ["nothing"], ["nothing"], [`error ${LOST} now`]],
    ["so for as long as that is so", [stopped], ["nothing"], ["nothing"], [`error ${LOST} now`]],
    ["one name server has lost it", [signs], ["key"], ["nothing"], [`error ${LOST} now`]],
    ["another key stands there", [signs], ["another"], ["another"], [`error ${LOST} now`]],
    ["it is back, and caches are waited for", [stopped], ["key"], ["key"], [`error ${LOST} now`]],
    [
      "the one before it still signs instead",
      [older, signs],
      ["key", "nothing"],
      ["key", "nothing"],
      [`warning ${LOST} now`],
    ],
    [
      "mail of the old one is under way",
      [older, signs],
      ["nothing", "key"],
      ["nothing", "key"],
      [`warning ${LOST} old`],
    ],
    [
      "the old one's mail has arrived",
      [keyIn("old", { signing: 80, retiring: 9 }), signs],
      ["nothing", "key"],
      ["nothing", "key"],
      [],
    ],
    [
      "who has retired the only key knows it",
      [keyIn("now", { signing: 28, retiring: 9 }, "retired")],
      ["nothing"],
      ["nothing"],
      [],
    ],
    [
      "it was lost long ago, and somebody has retired it today",
      [barKey(lostInJune, "retired", NOW)],
      ["nothing"],
      ["nothing"],
      [],
    ],
    [
      "it was lost today, and somebody has retired it: mail is under way",
      [barKey(lostNow, "retired", NOW)],
      ["nothing"],
      ["nothing"],
      [`notice ${LOST} lost`],
    ],
    [
      "a key of RSA signs on",
      [signs, rsaSigns],
      ["nothing", "key"],
      ["nothing", "key"],
      [`warning ${LOST} now`],
    ],
    [
      "Ed25519 alone is left, which many cannot verify",
      [signs, rsaSigns],
      ["key", "nothing"],
      ["key", "nothing"],
      [`error ${LOST} rsa`],
    ],
    [
      "both are gone",
      [signs, rsaSigns],
      ["nothing", "nothing"],
      ["nothing", "nothing"],
      [`error ${LOST} now`, `error ${LOST} rsa`],
    ],
    [
      "a revoked key is gone, as it should be",
      [keyIn("now", { signing: 28, retiring: 1 }, "revoked"), signs].slice(0, 1),
      ["nothing"],
      ["nothing"],
      [],
    ],
    ["a key was made just now", [signs, fresh(0.1)], ["key", "nothing"], ["key", "nothing"], []],
    [
      "a key was made yesterday, and nobody has entered it",
      [signs, fresh(1)],
      ["key", "nothing"],
      ["key", "nothing"],
      [`warning ${WAITS} next`],
    ],
    [
      "something else stands where the next is to be",
      [signs, fresh(1)],
      ["key", "another"],
      ["key", "another"],
      [`warning ${STUCK} next`],
    ],
    [
      "the old one is to be revoked since yesterday",
      [keyIn("old", { signing: 80, retiring: 8 }), signs],
      ["key", "key"],
      ["key", "key"],
      [`warning ${WAITS} old`],
    ],
    [
      "the old one is to be revoked since a moment ago",
      [keyIn("old", { signing: 80, retiring: 7.1 }), signs],
      ["key", "key"],
      ["key", "key"],
      [],
    ],
    [
      "others may have the private half",
      [keyIn("old", { signing: 80, retiring: 1 }, "revoked"), signs],
      ["key", "key"],
      ["key", "key"],
      [`error ${WAITS} old`],
    ],
    [
      "an empty record is left over",
      [keyIn("old", { signing: 80, retiring: 50, revoked: 31 }), signs],
      ["revoked", "key"],
      ["revoked", "key"],
      [`notice ${WAITS} old`],
    ],
    [
      "its empty record stays for a month",
      [keyIn("old", { signing: 80, retiring: 50, revoked: 29 }), signs],
      ["revoked", "key"],
      ["revoked", "key"],
      [],
    ],
  ])("%s", async (_, keys, shown, second, found) => {
    const findings = await findingsOf(keys, shown, second);
    expect(findings.map(({ severity, code, owner }) => `${severity} ${code} ${owner.split(".")[0]}`)).toEqual(
      found,
    );
    for (const { observed, fix } of findings)
      expect([observed === "", fix]).toEqual([false, expect.anything()]);
  });

  it("are said with the record to enter, and in the same words once the key has stopped signing", async () => {
    const both = [signs, { ...stopped, publicKey: signs.publicKey }];
    const [before, after] = (await Promise.all(both.map((key) => findingsOf([key], ["nothing"])))).flat();
    expect(before!.observed).toBe(
      "each name server that answers has no record there; no key of this algorithm can sign, so mail goes out without its signature",
    );
    expect(after).toEqual(before);
    expect(before!.fix!.changes.map(({ owner, value }) => `${owner} ${value}`)).toEqual([
      `now._domainkey.example.org ${renderTxt(keyRecordText(signs), "strings")}`,
    ]);
  });

  it("that were retired are not said to be retired", async () => {
    const findings = await findingsOf([barKey(lostNow, "retired", NOW)], ["nothing"]);
    expect(findings.map(({ observed, fix }) => [observed, fix!.summary])).toEqual([
      [
        "each name server that answers has no record there; it signs no more, and mail that it signed, and that is under way, cannot be verified",
        "Publish its record again until 2026-11-28, for the mail that is under way.",
      ],
    ]);
  });

  it("nobody can be asked about stay as they were", async () => {
    const failing = { "now._domainkey.example.org TXT": "timeout" } as const;
    const world = tableWorld({ zone: zoneWith([[signs, "key"]]), failing });
    const findings = await keyTroubleFindings([signs], [], new Context(DOMAIN, world, OPTIONS));
    expect(findings.map(({ code, severity, owner }) => [code, severity, owner])).toEqual([
      ["dns-no-answer", "unknown", "now._domainkey.example.org"],
    ]);
  });

  it.each<
    [
      reason: string,
      keys: readonly DkimKey[],
      shown: readonly Shown[],
      silent: readonly DkimKey[],
      found: readonly string[],
      says: string,
    ]
  >([
    ["nobody denies it, and not all have said so", [signs], ["key"], [signs], ["dns-no-answer now"], ""],
    ["mail of the old one is under way", [older, signs], ["key", "key"], [older], ["dns-no-answer old"], ""],
    ["who has never signed is not lost", [signs, fresh(0.1)], ["key", "key"], [fresh(0.1)], [], ""],
    [
      "it is back, as far as anybody says",
      [stopped],
      ["key"],
      [stopped],
      [`${LOST} now`],
      "every name server that answers shows it again, and not all answer;",
    ],
    ["another one denies it", [signs], ["nothing"], [signs], [`${LOST} now`], "has no record there"],
  ])("with a name server that says nothing of one: %s", async (_, keys, shown, silent, found, says) => {
    const zone = zoneWith(keys.map((key, at) => [key, shown[at]!] as const));
    const world = tableWorld({ zone });
    const ask = world.authoritative.askEveryServer;
    world.authoritative.askEveryServer = async (name, type) =>
      (await ask(name, type)).map((one) =>
        one.server.name === "ns2.example.org" && silent.some((key) => keyOwner(key) === name)
          ? { ...one, answer: { status: "unknown", cause: "timeout", detail: "no answer in 1.5 s" } }
          : one,
      );
    const findings = await keyTroubleFindings(keys, [], new Context(DOMAIN, world, OPTIONS));
    expect(findings.map(({ code, owner }) => `${code} ${owner.split(".")[0]}`)).toEqual(found);
    for (const { observed } of findings) expect(observed).toContain(says);
  });

  it("say nothing of a name server that is silent altogether: the zone's findings do", async () => {
    const world = tableWorld({
      zone: zoneWith([[signs, "key"]]),
      servers: { "ns2.example.org": { state: "unknown" } },
    });
    expect(await keyTroubleFindings([signs], [], new Context(DOMAIN, world, OPTIONS))).toEqual([]);
  });

  it.each<[hours: number, found: readonly string[], reason: string]>([
    [0.5, [], "what fails for a moment is tried again"],
    [1, [WAITS], "since an hour"],
  ])("for %f hours could not be published by this server: %j (%s)", async (hours, found) => {
    const trouble = troubleOf("publish", "next", hours);
    const findings = await findingsOf([signs, fresh(0.1)], ["key", "nothing"], undefined, [trouble]);
    expect(findings.map(({ code }) => code)).toEqual(found);
    for (const { observed } of findings) expect(observed).toContain("the provider is gone from next");
  });

  it("are said with the trouble of their own step, and when it is theirs", async () => {
    const keys = [keyIn("old", { signing: 80, retiring: 7.1 }), signs, fresh(1)];
    const both = [troubleOf("revoke", "old", 2), troubleOf("publish", "next", 3)];
    const seen = async (troubles: readonly PublishTrouble[]) =>
      (await findingsOf(keys, ["key", "key", "nothing"], undefined, troubles)).map(
        ({ owner, observed }) => `${owner.split(".")[0]}${/; this server could not.*$/.exec(observed) ?? ""}`,
      );
    expect(await seen(both)).toEqual([
      "next; this server could not: the provider is gone from next",
      "old; this server could not: the provider is gone from old",
    ]);
    // The old one is due since two hours: nobody has to be told that before twelve.
    expect(await seen(both.slice(1))).toEqual([
      "next; this server could not: the provider is gone from next",
    ]);
    expect(await seen([troubleOf("remove", "old", 2), troubleOf("publish", "now", 2)])).toEqual(["next"]);
  });
});
