/** Who signs, and why nobody does. */
import { expect, it } from "vitest";
import { fixedKey } from "../../test/support/dkim-keys.ts";
import { type DkimKey, inState, type KeyState } from "../keys/key.ts";
import { barKey } from "../keys/rotation.ts";
import { domainName } from "../standards/dns/name.ts";
import { createSigningTable } from "./signing-table.ts";

const AT = new Date("2026-11-21T12:00:00Z");
const key = (selector: string, state: KeyState, algorithm: "rsa" | "ed25519" = "rsa"): DkimKey => {
  const made = fixedKey(algorithm, selector).key;
  return inState({ ...made, sealed: `sealed ${selector}` as DkimKey["sealed"] }, state, AT);
};

it.each<[keys: readonly DkimKey[], author: string, signers: string, reason: string]>([
  [[key("a", "signing"), key("b", "signing", "ed25519")], "example.org", "a b", "one of each algorithm"],
  [[key("b", "signing", "ed25519"), key("a", "signing")], "example.org", "a b", "RSA comes first"],
  [
    [key("a", "published"), key("b", "proven")],
    "example.org",
    "key-not-signing",
    "not yet seen for long enough",
  ],
  [[key("a", "retiring")], "example.org", "key-not-signing", "no more"],
  [[barKey(key("a", "signing"), "revoked", AT)], "example.org", "key-not-signing", "taken back"],
  [[], "example.org", "no-key", "nothing is there"],
  [[key("shut", "signing")], "example.org", "key-not-opened", "under another seal key"],
  [[key("shut", "signing"), key("b", "signing", "ed25519")], "example.org", "b", "one of two does not open"],
  [[key("a", "signing")], "news.example.net", "a", "a rule for all below example.net"],
  [[key("a", "signing")], "example.net", "no-key", "which is not below itself"],
  [[key("a", "published")], "news.example.net", "key-not-signing", "a rule that leads to no signer"],
])("%# %s: %s", (keys, author, signers) => {
  const problems: string[] = [];
  const table = createSigningTable({
    listKeys: (domain) => (domain === "example.org" ? keys : []),
    openKey: ({ signingDomain, dkimSelector, publicKey: { keyType } }) =>
      dkimSelector === "shut"
        ? { ok: false, problem: "it does not open" }
        : {
            ok: true,
            value: {
              signingDomain,
              dkimSelector,
              keyType,
              privateKey: fixedKey(keyType, dkimSelector).privateKey,
            },
          },
    rules: [{ from: "*.example.net", signingDomain: domainName("example.org") }],
    now: () => 0,
    onProblem: (_, problem) => problems.push(problem),
  });
  const found = table.keysFor(domainName(author)).map(({ dkimSelector }) => dkimSelector);
  expect(found.length > 0 ? found.join(" ") : table.lackOf(domainName(author))).toBe(signers);
  expect(problems).toEqual(
    keys.some(({ dkimSelector }) => dkimSelector === "shut") ? ["it does not open"] : [],
  );
});
