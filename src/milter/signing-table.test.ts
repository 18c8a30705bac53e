import { describe, expect, it } from "vitest";
import { fixedKey, testKey } from "../../test/support/dkim-keys.ts";
import { type DkimKey, inState, type KeyState } from "../keys/key.ts";
import { domainName } from "../standards/dns/name.ts";
import type { SigningRule } from "./settings.ts";
import { createSigningTable, type OpenKey } from "./signing-table.ts";

const AT = new Date("2026-11-21T12:00:00Z");
const privateKey = fixedKey("ed25519", "x").privateKey;

function key(
  selector: string,
  state: KeyState,
  domain = "example.org",
  algorithm: "rsa" | "ed25519" = "ed25519",
): DkimKey {
  const made =
    algorithm === "rsa" ? fixedKey("rsa", selector, domain).key : testKey(selector, AT.toISOString(), domain);
  return inState({ ...made, sealed: `${selector} ${domain}` as DkimKey["sealed"] }, state, AT);
}

function table(keys: () => readonly DkimKey[], rules: readonly SigningRule[] = [], now = () => 0) {
  const opened: string[] = [];
  const problems: string[] = [];
  const openKey: OpenKey = ({ dkimSelector, signingDomain, publicKey }) => {
    opened.push(dkimSelector);
    return dkimSelector === "damaged"
      ? { ok: false, problem: "it is damaged" }
      : { ok: true, value: { dkimSelector, signingDomain, keyType: publicKey.keyType, privateKey } };
  };
  const made = createSigningTable({
    listKeys: async (domain) => keys().filter(({ signingDomain }) => signingDomain === domain),
    openKey,
    rules,
    now,
    onProblem: (_, problem) => problems.push(problem),
  });
  const find = async (domain: string) => await made.keysFor(domainName(domain));
  const selectors = async (domain: string) =>
    (await find(domain)).keys.map(({ dkimSelector, signingDomain }) => `${dkimSelector} ${signingDomain}`);
  const lack = async (domain: string) => (await find(domain)).lack;
  return { selectors, lack, opened, problems };
}

describe("who signs", () => {
  it.each<[string, readonly DkimKey[], readonly string[]]>([
    ["nobody, without keys", [], []],
    ["a key that has come so far", [key("s", "signing")], ["s example.org"]],
    ["no key that is only prepared", [key("s", "prepared")], []],
    ["no key that is only published", [key("s", "published")], []],
    ["no key that is proven and not yet chosen", [key("s", "proven")], []],
    ["no key that retires", [key("s", "retiring"), key("t", "revoked"), key("u", "removed")], []],
    ["no key that a person has barred", [{ ...key("s", "signing"), barred: "revoked" }], []],
    [
      "RSA before Ed25519",
      [key("e", "signing"), key("r", "signing", "example.org", "rsa")],
      ["r example.org", "e example.org"],
    ],
    ["no key of another domain", [key("s", "signing", "example.net")], []],
    ["not a parent's key, unless told", [key("s", "signing", "org")], []],
  ])("%s", async (_what, keys, expected) => {
    expect(await table(() => keys).selectors("example.org")).toEqual(expected);
  });

  it.each<[string, string, readonly string[], string]>([
    ["*.example.org", "sub.example.org", ["s example.org"], "below the name"],
    ["*.example.org", "a.b.example.org", ["s example.org"], "far below"],
    ["*.example.org", "badexample.org", [], "another name that ends alike"],
    ["customer.example", "customer.example", ["s example.org"], "by name"],
    ["customer.example", "sub.customer.example", [], "not below it"],
    ["*", "anything.example", ["s example.org"], "everybody else"],
  ])("a rule for %s and %s", async (from, domain, expected) => {
    const rules = [{ from, signingDomain: domainName("example.org") }];
    expect(await table(() => [key("s", "signing")], rules).selectors(domain)).toEqual(expected);
  });

  it.each<[readonly DkimKey[], string, string]>([
    [[], "no-key", "nothing is there"],
    [[key("s", "published"), key("t", "proven")], "key-not-signing", "not yet"],
    [[key("s", "retiring")], "key-not-signing", "no more"],
    [[key("damaged", "signing")], "key-not-opened", "it should sign, and does not open"],
  ])("%# knows why nobody does: %s (%s)", async (keys, lack) => {
    expect(await table(() => keys).lack("example.org")).toBe(lack);
  });

  it("takes the first rule that fits, and own keys before any", async () => {
    const rules = [
      { from: "*.example.org", signingDomain: domainName("example.org") },
      { from: "*", signingDomain: domainName("example.net") },
    ];
    const keys = [
      key("s", "signing"),
      key("n", "signing", "example.net"),
      key("own", "signing", "own.example.org"),
    ];
    const { selectors } = table(() => keys, rules);
    expect(await selectors("own.example.org")).toEqual(["own own.example.org"]);
    expect(await selectors("sub.example.org")).toEqual(["s example.org"]);
    expect(await selectors("other.example")).toEqual(["n example.net"]);
  });

  it("opens a key once, notices within seconds that it is taken back, and says what does not open", async () => {
    let keys = [key("s", "signing")];
    let now = 0;
    const { selectors, opened, problems } = table(
      () => keys,
      [],
      () => now,
    );
    await selectors("example.org");
    now = 10_000;
    expect(await selectors("example.org")).toHaveLength(1);
    expect(opened).toEqual(["s"]);
    keys = [{ ...keys[0]!, barred: "revoked" }];
    expect(await selectors("example.org")).toHaveLength(1);
    now = 15_000;
    expect(await selectors("example.org")).toHaveLength(0);
    keys = [key("damaged", "signing")];
    now = 30_000;
    expect(await selectors("example.org")).toHaveLength(0);
    expect(problems).toEqual(["it is damaged"]);
  });

  it("has held keys at once, and asks once for those that several messages need", async () => {
    const asked: string[] = [];
    const { keysFor } = createSigningTable({
      listKeys: async (domain) => {
        asked.push(domain);
        return [key("s", "signing")];
      },
      openKey: ({ dkimSelector, signingDomain, publicKey }) => {
        return { ok: true, value: { dkimSelector, signingDomain, keyType: publicKey.keyType, privateKey } };
      },
      rules: [],
      now: () => 0,
      onProblem: () => undefined,
    });
    const domain = domainName("example.org");
    const [first, second] = await Promise.all([keysFor(domain), keysFor(domain)]);
    expect(first.keys).toHaveLength(1);
    expect(second).toBe(first);
    expect(asked).toEqual(["example.org"]);
    expect(keysFor(domain)).toBe(first);
  });

  it("asks again where keys could not be had", async () => {
    let isGone = true;
    const { keysFor } = createSigningTable({
      listKeys: async () => {
        if (isGone) throw new Error("the store is gone");
        return [];
      },
      openKey: () => ({ ok: false, problem: "never asked" }),
      rules: [],
      now: () => 0,
      onProblem: () => undefined,
    });
    await expect(keysFor(domainName("example.org"))).rejects.toThrow("the store is gone");
    isGone = false;
    expect(await keysFor(domainName("example.org"))).toMatchObject({ keys: [], lack: "no-key" });
  });
});
