import { describe, expect, it } from "vitest";
import { optionsOf } from "../../test/support/healthy-world.ts";
import { ABLE, rrsetsOf } from "../../test/support/memory-provider.ts";
import { recordsOf } from "../../test/support/table-world.ts";
import { domainName } from "../standards/dns/name.ts";
import { planChanges, wantedIn } from "./plan.ts";
import type { GuardId, Plan, PlanInput } from "./planned.ts";

const ZONE = domainName("example.org");
const DESCRIPTION = `servers:
  - host: mail.example.org
    addresses: [192.0.2.25]
domains:
  - domain: example.org
    dmarc: { policy: quarantine }
    clientSetup: false
`;
const BASE = `example.org. SOA ns1.example.net. hostmaster.example.org. 1 7200 900 1209600 300
example.org. NS ns1.example.net.
example.org. A 192.0.2.80
www.example.org. CNAME example.org.
example.org. TXT "some-site-verification=123"`;
const OURS = `mail.example.org. A 192.0.2.25
example.org. MX 10 mail.example.org.
mail.example.org. TXT "v=spf1 a -all"
example.org. TXT "v=spf1 mx a ip4:192.0.2.25 ~all"
_dmarc.example.org. TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org"`;

interface Change {
  readonly description?: string;
  readonly input?: Partial<PlanInput>;
}

function plan(zone: string, { description = DESCRIPTION, input = {} }: Change = {}): Plan {
  const { derived } = optionsOf(description);
  return planChanges({
    content: { zone: ZONE, rrsets: [...rrsetsOf(recordsOf(zone)).values()] },
    wanted: wantedIn(ZONE, derived!.records, []),
    owned: [],
    capabilities: ABLE,
    negativeTtlSeconds: 300,
    ...input,
  });
}

const lines = ({ values }: Plan, action: string, ours?: boolean) =>
  values
    .filter((value) => value.action === action && (ours === undefined || value.isOurs === ours))
    .map(({ name, type, value }) => `${name} ${type} ${value}`)
    .sort();
const guardIds = ({ guards }: Plan): GuardId[] => guards.map(({ id }) => id);
const ownedOf = (text: string) => {
  const done = plan(text);
  return done.ownedAfter;
};

describe("a plan", () => {
  it("for a new zone creates what is derived, and keeps the rest", () => {
    const made = plan(BASE);
    expect(lines(made, "create")).toEqual([
      '_dmarc.example.org TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org"',
      "example.org MX 10 mail.example.org.",
      'example.org TXT "v=spf1 mx a ip4:192.0.2.25 ~all"',
      "mail.example.org A 192.0.2.25",
      'mail.example.org TXT "v=spf1 a -all"',
    ]);
    expect(lines(made, "delete")).toEqual([]);
    expect(lines(made, "keep")).toContain('example.org TXT "some-site-verification=123"');
    expect(made.guards).toEqual([]);
    expect(
      made.values.filter(({ action }) => action === "create").every(({ reason }) => reason !== undefined),
    ).toBe(true);
  });

  it("changes the RRset at the apex without touching the token beside SPF", () => {
    const change = plan(BASE)
      .steps.flatMap(({ changes }) => changes)
      .find(({ name, type }) => name === ZONE && type === "TXT");
    expect(change?.before?.data).toHaveLength(1);
    expect(change?.after?.data).toHaveLength(2);
  });

  it("puts leaves before what points to them, and waits for negative caches", () => {
    const { steps } = plan(BASE);
    expect(
      steps.map(({ changes, waitSeconds }) => [changes.map(({ type }) => type).sort(), waitSeconds]),
    ).toEqual([
      [["A", "TXT", "TXT", "TXT"], 0],
      [["MX"], 300],
    ]);
  });

  it("has nothing to do where all stands already, and takes it for its own", () => {
    const done = plan(`${BASE}\n${OURS}`);
    expect(done.steps).toEqual([]);
    expect(lines(done, "keep", true)).toHaveLength(5);
    expect(done.ownedAfter).toHaveLength(5);
  });

  it("takes away what is ours and wanted no more, last, once nobody remembers what pointed there", () => {
    const moved = DESCRIPTION.replace("mail.example.org", "mx.example.org");
    const zone = `${BASE}\n${OURS}`;
    const made = plan(zone, { description: moved, input: { owned: ownedOf(zone) } });
    expect(lines(made, "delete")).toEqual([
      "example.org MX 10 mail.example.org.",
      "mail.example.org A 192.0.2.25",
      'mail.example.org TXT "v=spf1 a -all"',
    ]);
    const [first, second, third] = made.steps;
    expect(first!.changes.map(({ name }) => name)).toContain("mx.example.org");
    expect(second!.changes.map(({ type }) => type)).toEqual(["MX"]);
    expect(third).toMatchObject({ waitSeconds: 3600 });
    expect(third!.changes.map(({ name }) => name)).toEqual(["mail.example.org", "mail.example.org"]);
  });

  it("leaves alone what stands where ours stood, and is not ours", () => {
    const made = plan(
      `${BASE}\n${OURS}`.replace(
        "mail.example.org. A 192.0.2.25",
        "mail.example.org. A 192.0.2.25\nmail.example.org. A 192.0.2.26",
      ),
    );
    expect(made.steps).toEqual([]);
    expect(lines(made, "keep", false)).toContain("mail.example.org A 192.0.2.26");
  });

  it("keeps the TTL of an RRset that is not ours alone", () => {
    const made = plan(`${BASE.replace('example.org. TXT "some', 'example.org. 600 TXT "some')}`);
    const apex = made.steps[0]!.changes.find(({ name, type }) => name === ZONE && type === "TXT");
    expect(apex?.after?.ttlSeconds).toBe(600);
  });
});

describe("SPF", () => {
  const withSpf = (text: string) => `${BASE}\nexample.org. TXT "${text}"`;

  it("keeps the senders of others (never replaced)", () => {
    const made = plan(withSpf("v=spf1 include:_spf.example.net ip4:198.51.100.7 -all"));
    expect(lines(made, "create")).toContain(
      'example.org TXT "v=spf1 mx a ip4:192.0.2.25 include:_spf.example.net ip4:198.51.100.7 ~all"',
    );
    expect(made.notes.join()).toContain(
      "include:_spf.example.net, ip4:198.51.100.7 stood there before and stays; 3 of 10",
    );
  });

  it("makes one of several", () => {
    const zone = `${withSpf("v=spf1 include:_spf.example.net -all")}\nexample.org. TXT "v=spf1 include:mail.example.com ~all"`;
    const made = plan(zone);
    expect(lines(made, "create").filter((line) => line.includes("spf1 mx"))).toEqual([
      'example.org TXT "v=spf1 mx a ip4:192.0.2.25 include:_spf.example.net include:mail.example.com ~all"',
    ]);
    expect(lines(made, "delete")).toHaveLength(2);
  });

  it("loses only terms that were ours", () => {
    const before = plan(withSpf("v=spf1 include:_spf.example.net -all"));
    const merged = before.steps[0]!.changes.find(({ name, type }) => name === ZONE && type === "TXT")!.after!;
    const moved = DESCRIPTION.replace("192.0.2.25", "192.0.2.44");
    const { derived } = optionsOf(moved);
    const made = planChanges({
      content: { zone: ZONE, rrsets: [merged] },
      wanted: wantedIn(ZONE, derived!.records, []),
      owned: before.ownedAfter,
      capabilities: ABLE,
      negativeTtlSeconds: 300,
    });
    expect(lines(made, "create")).toContain(
      'example.org TXT "v=spf1 mx a ip4:192.0.2.44 include:_spf.example.net ~all"',
    );
  });
});

describe("what speaks against a plan", () => {
  const REJECT = DESCRIPTION.replace("quarantine", "reject");
  it.each<[why: string, ids: readonly GuardId[], zone: string, change?: Change]>([
    ["nothing", [], BASE],
    ["another's MX is in the way", ["foreign-record"], `${BASE}\nexample.org. MX 10 mx.example.net.`],
    [
      "another's DMARC is in the way",
      ["foreign-record"],
      `${BASE}\n_dmarc.example.org. TXT "v=DMARC1; p=quarantine"`,
    ],
    [
      "an alias stands where an address should",
      ["alias-beside-others"],
      `${BASE}\nmail.example.org. CNAME host.example.net.`,
    ],
    [
      "from watching to refusing at once",
      ["foreign-record", "dmarc-jump"],
      `${BASE}\n_dmarc.example.org. TXT "v=DMARC1; p=none"`,
      { description: REJECT },
    ],
    ["from nothing to refusing at once", ["dmarc-jump"], BASE, { description: REJECT }],
    [
      "from quarantine to refusing is the ladder",
      [],
      `${BASE}\n${OURS}`,
      { description: REJECT, input: { owned: ownedOf(`${BASE}\n${OURS}`) } },
    ],
    [
      "a domain that sends nothing may refuse at once",
      [],
      BASE,
      { description: "domains: [{ domain: example.org, receives: false, sends: false }]\n" },
    ],
    [
      "the MX has no address",
      ["mx-unresolvable"],
      BASE,
      {
        description:
          "servers: [{ host: mail.example.net, addresses: [192.0.2.25] }]\ndomains: [{ domain: example.org, clientSetup: false }]\n",
        input: { resolves: new Map([[domainName("mail.example.net"), false]]) },
      },
    ],
    [
      "TLSA in a zone that is not signed",
      ["tlsa-unsigned"],
      BASE,
      {
        description: DESCRIPTION.replace(
          "addresses: [192.0.2.25]",
          `addresses: [192.0.2.25]\n    tlsa: [{ record: 3 1 1 ${"0b".repeat(32)} }]`,
        ),
        input: { isSigned: false },
      },
    ],
    [
      "eleven lookups",
      ["spf-lookups"],
      `${BASE}\nexample.org. TXT "v=spf1 ${Array.from({ length: 9 }, (_, at) => `include:s${at}.example.net`).join(" ")} -all"`,
    ],
  ])("%s: %j", (_, ids, zone, change) => {
    expect(guardIds(plan(zone, change))).toEqual(ids);
  });

  it("a key that still signs would go", () => {
    const name = domainName("default._domainkey.example.org");
    const zone = `${BASE}\n${OURS}\n${name}. TXT "v=DKIM1; p="`;
    const owned = [...ownedOf(`${BASE}\n${OURS}`), { name, type: "TXT" as const, value: "TXT v=DKIM1; p=" }];
    expect(guardIds(plan(zone, { input: { owned, signingKeys: new Set([name]) } }))).toEqual(["signing-key"]);
    expect(guardIds(plan(zone, { input: { owned } }))).toEqual([]);
  });

  it("more deletions than a mail zone has records", () => {
    const many = Array.from({ length: 11 }, (_, at) => ({
      name: domainName(`h${at}.example.org`),
      type: "A" as const,
      value: "A 192.0.2.1",
    }));
    const zone = `${BASE}\n${OURS}\n${many.map(({ name }) => `${name}. A 192.0.2.1`).join("\n")}`;
    expect(guardIds(plan(zone, { input: { owned: [...ownedOf(`${BASE}\n${OURS}`), ...many] } }))).toEqual([
      "many-deletions",
    ]);
  });

  it("the apex NS is never touched, whatever anybody owns", () => {
    const owned = [{ name: ZONE, type: "NS" as const, value: "NS ns1.example.net." }];
    const made = plan(BASE, { input: { owned } });
    expect(made.guards).toContainEqual(
      expect.objectContaining({ id: "apex-ns-soa", canBeOverridden: false }),
    );
  });
});

describe("what a provider cannot hold", () => {
  it.each<[why: string, capabilities: Partial<PlanInput["capabilities"]>, description: string, left: number]>(
    [
      ["no TXT at all", { lacksTypes: ["TXT"] }, DESCRIPTION, 3],
      [
        "no null MX",
        { nullTargets: false },
        "domains: [{ domain: example.org, receives: false, sends: false }]\n",
        1,
      ],
      ["short TXT only", { maxTxtOctets: 20 }, DESCRIPTION, 2],
    ],
  )("%s: left out, and said", (_, capabilities, description, left) => {
    const made = plan(BASE, { description, input: { capabilities: { ...ABLE, ...capabilities } } });
    expect(made.leftOut).toHaveLength(left);
    for (const { because } of made.leftOut) expect(because).toMatch(/^(it|its) /);
  });
});

it("raises a TTL that the provider does not take, and says so", () => {
  const made = plan(BASE, { input: { capabilities: { ...ABLE, minTtlSeconds: 7200 } } });
  expect(made.leftOut).toEqual([]);
  expect(made.notes).toEqual(["TTLs below 7200 s are not to be had here: 5 records have that instead"]);
  const created = made.values.filter(({ action, name }) => action === "create" && name !== ZONE);
  expect(created.map(({ ttlSeconds }) => ttlSeconds)).toEqual(created.map(() => 7200));
});
