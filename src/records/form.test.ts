import { describe, expect, it } from "vitest";
import { anyName } from "../../test/support/arbitrary-records.ts";
import { fc } from "../../test/support/random-inputs.ts";
import { type DomainName, domainName, ROOT, tryPrepend } from "../standards/dns/name.ts";
import type { Rdata } from "../standards/dns/record.ts";
import { toCharacterStrings } from "../standards/dns/record.ts";
import { formFields, formLine, formName, NAME_STYLES, parseFormName } from "./form.ts";

const zone = domainName("example.com");

describe("names in a form (R18)", () => {
  it.each<[style: (typeof NAME_STYLES)[number], apex: string, mail: string]>([
    ["at", "@", "mail"],
    ["blank", "", "mail"],
    ["full", "example.com", "mail.example.com"],
    ["dotted", "example.com.", "mail.example.com."],
  ])("%s", (style, apex, mail) => {
    expect(formName(zone, zone, style)).toBe(apex);
    expect(formName(domainName("mail.example.com"), zone, style)).toBe(mail);
    expect(formName(domainName("mail.example.net"), zone, style)).toBeUndefined();
  });

  it.each(NAME_STYLES)("what is written in style %s reads back as the same name", (style) => {
    fc.assert(
      fc.property(anyName, fc.option(anyName, { nil: undefined }), (apex, prefix) => {
        const joined = prefix === undefined || prefix === ROOT ? apex : tryPrepend(prefix, apex);
        fc.pre(joined !== undefined);
        const name = joined as DomainName;
        const written = formName(name, apex, style)!;
        expect(parseFormName(written, apex, style)).toEqual({ ok: true, value: name });
      }),
    );
  });
});

describe("the fields of a form", () => {
  const line = (data: Rdata, name = "example.com") =>
    formLine(formFields({ name: domainName(name), ttlSeconds: 3600, data }, zone));

  it.each<[reason: string, line: string, expected: string]>([
    [
      "R2 MX: the priority apart, no final dot",
      line({ type: "MX", preference: 10, exchange: domainName("mail.example.com") }),
      "MX | @ | 10 | mail.example.com",
    ],
    ["a null MX keeps its dot", line({ type: "MX", preference: 0, exchange: ROOT }), "MX | @ | 0 | ."],
    ["A", line({ type: "A", address: "192.0.2.1" }, "mail.example.com"), "A | mail | 192.0.2.1"],
    [
      "TXT in one piece, without quotes",
      line({ type: "TXT", strings: toCharacterStrings("x".repeat(300)) }),
      `TXT | @ | ${"x".repeat(300)}`,
    ],
    [
      "TXT beyond ASCII as it is read",
      line({ type: "TXT", strings: ["gr\u00c3\u00b6\u00c3\u009fe"] }),
      "TXT | @ | größe",
    ],
    [
      "SRV: the priority apart",
      line(
        { type: "SRV", priority: 0, weight: 5, port: 5222, target: domainName("mail.example.com") },
        "_xmpp-client._tcp.example.com",
      ),
      "SRV | _xmpp-client._tcp | 0 | 5 5222 mail.example.com",
    ],
    [
      "CAA",
      line({ type: "CAA", flags: 0, tag: "issue", value: "letsencrypt.org" }),
      'CAA | @ | 0 issue "letsencrypt.org"',
    ],
    [
      "TLSA",
      line(
        { type: "TLSA", usage: 3, tlsaSelector: 1, matchingType: 1, associationData: Uint8Array.of(1, 2) },
        "_25._tcp.example.com",
      ),
      "TLSA | _25._tcp | 3 1 1 0102",
    ],
    [
      "a name beyond the zone stays whole",
      line({ type: "PTR", target: zone }, "1.2.0.192.in-addr.arpa"),
      "PTR | 1.2.0.192.in-addr.arpa | example.com",
    ],
  ])("%s", (_reason, written, expected) => {
    expect(written).toBe(expected);
  });
});
