import { describe, expect, it } from "vitest";
import { described } from "../../test/support/golden.ts";
import { fc } from "../../test/support/random-inputs.ts";
import { ancestors, type DomainName, domainName, isWithin } from "../standards/dns/name.ts";
import { derive } from "./derive.ts";
import { type Description, readDescription } from "./description.ts";
import { concerns, namesIn, namesOthers } from "./zone-part.ts";

const zone = domainName("hoster.example");
const only = (text: string) =>
  described(`servers: [{ host: mx.hoster.example, addresses: [192.0.2.25] }]\ndomains: [{ ${text} }]`)
    .domains[0]!;

describe("concerns", () => {
  it("is true of a domain that the zone lies in", () => {
    expect(concerns(only("domain: hoster.example"), domainName("keys.hoster.example"))).toBe(true);
  });

  it.each([
    ["domain: hoster.example", true, "it holds the zone"],
    ["domain: shop.hoster.example", true, "it lies in the zone"],
    ["domain: example.org", false, "the server that all share stands there, and that is not the domain's"],
    ["domain: example.org, delegation: { zone: dyn.hoster.example }", true, "its keys live there"],
    ["domain: example.org, dmarc: { reports: ['mailto:x@Hoster.example'] }", true, "it has to agree"],
    ["domain: example.org, dmarc: { failureReports: ['mailto:x@hoster.example'] }", true, "so it has to"],
    ["domain: example.org, mx: [{ host: mx2.hoster.example }]", true, "no alias may stand there"],
    ["domain: example.org, dmarc: { reports: ['mailto:x@nothoster.example'] }", false, "a name alike"],
    ["domain: nothoster.example", false, "a name alike"],
  ])("%s: %s (%s)", (text, is) => {
    expect(concerns(only(text), zone)).toBe(is);
  });
});

describe("namesOthers", () => {
  it.each([
    [{ domain: "example.org", receives: false, dkim: [] }, false],
    [{ domain: "example.org", dmarc: { policy: "none" } }, true],
    [{ domain: "example.org", anythingToCome: 1 }, true],
  ])("of %j is %s", (content, is) => {
    expect(namesOthers(content)).toBe(is);
  });
});

const NAMES = ["a.test", "b.a.test", "c.test", "x.c.test", "hoster.test", "dyn.hoster.test", "d.test"];
const name = fc.constantFrom(...NAMES);
const host = fc
  .tuple(fc.constantFrom("mx", "mail", "autoconfig", "mta-sts"), name)
  .map((parts) => parts.join("."));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const domain = (own: string) =>
  fc
    .record(
      {
        receives: fc.boolean(),
        sends: fc.boolean(),
        mx: fc
          .uniqueArray(host, { minLength: 1, maxLength: 2 })
          .map((hosts) => hosts.map((one) => ({ host: one }))),
        dmarc: fc.record(
          {
            reports: fc
              .uniqueArray(name, { minLength: 1, maxLength: 2 })
              .map((all) => all.map((one) => `mailto:r@${one}`)),
            failureReports: name.map((one) => [`mailto:f@${one}`]),
          },
          { requiredKeys: [] },
        ),
        delegation: fc.record({ zone: name, records: fc.constant(["dkim", "dmarc", "mta-sts"]) }),
        mtaSts: fc.constant({ mode: "testing" }),
        xmpp: fc.record({ host }),
        ttl: fc.record({ default: fc.constantFrom(300, 600) }),
      },
      { requiredKeys: [] },
    )
    .map((rest) => ({ domain: own, ...rest }));

const raw = fc
  .tuple(
    fc.uniqueArray(host, { minLength: 1, maxLength: 3 }),
    fc.uniqueArray(name, { minLength: 1 }).chain((names) => fc.tuple(...names.map(domain))),
    maybe(host),
  )
  .map(([hosts, domains, helo]) => ({
    servers: hosts.map((one, at) => ({
      host: one,
      addresses: [`192.0.2.${at + 1}`],
      ...(at === 0 && helo !== undefined && { helo }),
    })),
    domains,
  }));

/** What a zone has by all domains, and by those alone that concern it. */
function recordsIn(zone: DomainName, description: Description) {
  return derive(description)
    .records.filter(({ record }) => isWithin(record.name, zone))
    .map(({ record, creator, purpose, domain: home }) => JSON.stringify([record, creator, purpose, home]))
    .sort();
}

it("leaves out nothing that a zone needs, whatever is described", () => {
  let compared = 0;
  let leftOut = 0;
  fc.assert(
    fc.property(raw, (content) => {
      const all = readDescription(content);
      fc.pre(all.ok);
      if (!all.ok) return;
      for (const text of NAMES) {
        const zone = domainName(text);
        const concerned = all.description.domains.filter((each) => concerns(each, zone));
        const above = new Set(
          concerned.flatMap((each) => [...namesIn(each)]).flatMap((each) => [...ancestors(each)]),
        );
        const part = all.description.domains.filter(
          (each) => concerned.includes(each) || above.has(each.domain),
        );
        compared += 1;
        leftOut += all.description.domains.length - part.length;
        expect(recordsIn(zone, { ...all.description, domains: part })).toEqual(
          recordsIn(zone, all.description),
        );
      }
    }),
    { numRuns: 100 },
  );
  // Had it kept them all, it would have shown nothing.
  expect(leftOut).toBeGreaterThan(compared / 10);
});
