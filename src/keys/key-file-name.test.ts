/** File names of keys, as signing programs and people choose them. */
import { describe, expect, it } from "vitest";
import { parseDkimSelector } from "../standards/dkim/selector.ts";
import { domainName } from "../standards/dns/name.ts";
import { isKeyFileName, keyNameOfFile } from "./key-file-name.ts";

const selector = parseDkimSelector("given");
const GIVEN = {
  domain: { signingDomain: domainName("example.net") },
  selector: selector.ok ? { dkimSelector: selector.value } : {},
  none: {},
};

describe("a key's file", () => {
  it.each<[path: string, given: keyof typeof GIVEN, name: string | undefined, reason: string]>([
    ["example.org/default.private", "none", "default._domainkey.example.org", "OpenDKIM"],
    ["/etc/opendkim/keys/example.org/202611.pem", "none", "202611._domainkey.example.org", "deeper"],
    ["Example.ORG/Default.private", "none", "default._domainkey.example.org", "capitals"],
    ["example.org.dkim.key", "none", "dkim._domainkey.example.org", "rspamd"],
    ["mail.example.org.s1.key", "none", "s1._domainkey.mail.example.org", "rspamd, a sub-domain"],
    ["default._domainkey.example.org.pem", "none", "default._domainkey.example.org", "the owner name"],
    ["example.org/default._domainkey.pem", "none", "default._domainkey.example.org", "its first part"],
    ["a.b._domainkey.example.org.pem", "none", "a.b._domainkey.example.org", "a selector with a dot"],
    ["default.private", "domain", "default._domainkey.example.net", "the domain is given"],
    ["example.org.pem", "selector", "given._domainkey.example.org", "the selector is given"],
    ["example.org/x.pem", "selector", "given._domainkey.example.org", "and counts more than the name"],
    ["keys/default.private", "none", undefined, "no domain"],
    ["example.org.pem", "none", undefined, "which of them is the selector?"],
    ["example.org/with blank.pem", "none", undefined, "no selector"],
  ])("%s (%s) is %s (%s)", (path, given, expected) => {
    const name = keyNameOfFile(path, GIVEN[given]);
    expect(name && `${name.dkimSelector}._domainkey.${name.signingDomain}`).toBe(expected);
  });

  it("is told from others by its ending", () => {
    const names = ["a.pem", "a.private", "A.KEY", "a.txt", "a.dns", "README", "a.pem.bak"];
    expect(names.filter(isKeyFileName)).toEqual(["a.pem", "a.private", "A.KEY"]);
  });
});
