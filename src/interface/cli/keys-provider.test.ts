/** What a step of a rotation changes in a zone, by what stands there. */
import { expect, it } from "vitest";
import { fixedKey, testKey } from "../../../test/support/dkim-keys.ts";
import { keyOwner, keyRecordText } from "../../keys/key-record-shapes.ts";
import type { Rrset } from "../../publish/provider.ts";
import { toCharacterStrings } from "../../standards/dns/record.ts";
import { changeFor, type Errand } from "./keys-provider.ts";

const { key } = fixedKey("rsa", "default");
const OURS = keyRecordText(key);
const OTHER = keyRecordText(testKey("x", "2026-11-21T00:00:00Z"));
const REVOKED = "v=DKIM1; p=";

const rrset = (texts: readonly string[]): Rrset | undefined =>
  texts.length === 0
    ? undefined
    : {
        name: keyOwner(key),
        type: "TXT",
        ttlSeconds: 777,
        data: texts.map((text) => ({ type: "TXT", strings: toCharacterStrings(text) })),
      };

it.each<
  [action: Errand["action"], stands: readonly string[], becomes: string | undefined | RegExp, reason: string]
>([
  ["publish", [], OURS, "nothing is there"],
  ["publish", [OURS], /there/, "done already"],
  ["publish", [OTHER], /foreign/, "another key"],
  ["publish", [REVOKED], /foreign/, "somebody revoked it"],
  ["publish", ["v=spf1 -all"], /foreign/, "something else"],
  ["publish", [OURS, OTHER], /foreign/, "several: which one is right is for a person"],
  ["revoke", [OURS], REVOKED, "ours"],
  ["revoke", [REVOKED], /there/, "done already"],
  ["revoke", [], /there/, "gone is as good"],
  ["revoke", [OTHER], /foreign/, "another key"],
  ["remove", [REVOKED], undefined, "its days are over"],
  ["remove", [], /there/, "gone already"],
  ["remove", [OURS], /foreign/, "back in use?"],
  ["remove", [OTHER], /foreign/, "another key"],
])("%s where %j stands → %s (%s)", (action, stands, becomes) => {
  const before = rrset(stands);
  const change = changeFor({ action, key }, before);
  if (becomes instanceof RegExp) expect(change).toMatch(becomes);
  else {
    const after =
      becomes === undefined ? undefined : { ...rrset([becomes])!, ttlSeconds: before ? 777 : 3600 };
    expect(change).toEqual({ name: keyOwner(key), type: "TXT", before, after });
  }
});
