import { expect, it } from "vitest";
import { domainName } from "../standards/dns/name.ts";
import { toCharacterStrings } from "../standards/dns/record.ts";
import { readTxt, TXT_STYLES } from "../standards/dns/txt-rendering.ts";
import { formFields } from "./form.ts";

const key = `v=DKIM1; k=rsa; p=${"A".repeat(300)}`;
const zone = domainName("example.org");
const record = {
  name: domainName("default._domainkey.example.org"),
  ttlSeconds: 3600,
  data: { type: "TXT", strings: toCharacterStrings(key) },
} as const;

it.each([
  ["raw", key, "most forms: one value, and nothing around it"],
  ["quoted", `"${key}"`, "forms that want the quotes"],
  ["strings", `"${key.slice(0, 255)}" "${key.slice(255)}"`, "forms that cut nothing themselves"],
  ["bind", `(\n  "${key.slice(0, 255)}"\n  "${key.slice(255)}"\n)`, "a zone file over several lines"],
] as const)("R48: TXT as %s is %s: %s", (style, value, _why) => {
  expect(formFields(record, zone, "at", style).value).toBe(value);
  expect(readTxt(value).value, "and back").toBe(key);
});

it("knows every style", () => {
  expect([...TXT_STYLES].sort()).toEqual(["bind", "quoted", "raw", "strings"]);
});
