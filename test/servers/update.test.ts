/** Updates and transfers with the servers that people run: BIND, Knot and PowerDNS. */

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDnsUpdateClient } from "../../src/net/dns-update-client.ts";
import type { ServerAddress } from "../../src/net/server-address.ts";
import type { FailureCause, Provider, Rrset } from "../../src/publish/provider.ts";
import { createRfc2136Provider } from "../../src/publish/providers/rfc2136.ts";
import { type DomainName, domainName } from "../../src/standards/dns/name.ts";
import { parseTsigKey, type TsigKey } from "../../src/standards/dns/tsig.ts";
import { changeOf, contentOf, findRrset, providerContract, rrsetIn } from "../contract/provider.ts";
import { startBind } from "../support/bind.ts";
import type { ZoneText } from "../support/dns-program.ts";
import { freePort } from "../support/free-port.ts";
import { startKnot } from "../support/knot.ts";
import { POWERDNS_PROGRAMS, startPowerdns } from "../support/powerdns.ts";
import { describeWithServers, type RunningServer } from "../support/real-server.ts";
import { KNOT_KEY, UPDATE_KEY, UPDATE_SERVERS } from "../support/update-servers.ts";

const { algorithm: ALGORITHM, secret: SECRET } = UPDATE_KEY;
const zone = domainName("example.org");
const contractZone = domainName("contract.example.org");
const zoneText = (apex: DomainName): ZoneText => ({
  apex,
  text: `$TTL 300
$ORIGIN ${apex}.
@ SOA ns.${apex}. hostmaster.${apex}. 1 3600 600 86400 60
@ NS ns.${apex}.
ns A 127.0.0.1
`,
});
/** Half a million octets: a transfer takes several messages, each signed with the one before. */
const largeZone = domainName("large.example.org");
const LARGE_COUNT = 4000;
const large = zoneText(largeZone);
const largeText = Array.from({ length: LARGE_COUNT }, (_, at) => `n${at} TXT "${"x".repeat(100)}"\n`).join(
  "",
);
const zones = [zoneText(zone), zoneText(contractZone), { apex: largeZone, text: large.text + largeText }];

function keyOf(changes: { name?: string; secret?: string; algorithm?: string } = {}): TsigKey {
  const key = parseTsigKey({ ...UPDATE_KEY, ...changes });
  if (!key.ok) throw new Error(key.problem);
  return key.value;
}

/** What each says of our mistakes. */
interface Complaints {
  readonly unknownKey: string;
  readonly wrongSecret: string;
  readonly wrongTime: readonly [cause: FailureCause, words: string];
}

const PLAIN: Complaints = {
  unknownKey: "(BADKEY)",
  wrongSecret: "(BADSIG)",
  wrongTime: ["clock", "UTC, and here it is 20"],
};
const COMPLAINTS: Readonly<Record<string, Complaints>> = {
  BIND: PLAIN,
  Knot: PLAIN,
  PowerDNS: {
    unknownKey: 'the key "other" is unknown there',
    wrongSecret: 'the key "testkey" is unknown there, has another secret',
    // It gives one answer to all three.
    wrongTime: ["credentials", "or the clocks differ"],
  },
};

const kinds = UPDATE_SERVERS.map((server) => ({ ...server, ...COMPLAINTS[server.title]! }));

function numberIn(rrset: Rrset | undefined): number {
  const [data] = rrset?.data ?? [];
  return data?.type === "TXT" ? Number(data.strings[0]) : 0;
}

for (const kind of kinds) {
  describeWithServers(kind.programs, `updates of ${kind.title}`, () => {
    let running: RunningServer;
    let server: ServerAddress;
    beforeAll(async () => {
      server = { address: "127.0.0.1", port: await freePort() };
      running = await kind.start(server.port, zones);
    });
    afterAll(() => running?.stop());

    const providerWith = (key: TsigKey | undefined, now: () => number = Date.now): Provider =>
      createRfc2136Provider(createDnsUpdateClient({ server, key, now }));
    const see = async (owner: string, type: Rrset["type"]) =>
      findRrset(await contentOf(providerWith(keyOf()), zone), domainName(`${owner}.${zone}`), type);
    const probe = (owner: string) => changeOf(undefined, rrsetIn(zone, owner, "A", ["192.0.2.1"]));

    providerContract(kind.title, () => ({
      provider: providerWith(keyOf()),
      zone: contractZone,
      unknownZone: domainName("example.net"),
      withWrongCredentials: providerWith(keyOf({ secret: "AAAA" })),
      close: () => undefined,
    }));

    it("gives away a zone of several messages, all signed", async () => {
      const { rrsets } = await contentOf(providerWith(keyOf()), largeZone);
      expect(rrsets).toHaveLength(LARGE_COUNT + 2);
    });

    it("changes 40 RRsets in one update, and raises the serial once", async () => {
      const provider = providerWith(keyOf());
      const { serial } = await contentOf(provider, zone);
      const changes = Array.from({ length: 40 }, (_, at) =>
        changeOf(undefined, rrsetIn(zone, `host${at}`, "A", [`192.0.2.${at}`])),
      );
      expect(await provider.apply(zone, changes)).toEqual({ status: "applied" });
      const content = await contentOf(provider, zone);
      expect(content.rrsets.filter(({ name }) => name.startsWith("host"))).toHaveLength(40);
      expect(content.serial).toBeGreaterThan(serial!);
      const away = changes.map(({ after }) => changeOf(after, undefined));
      expect(await provider.apply(zone, away)).toEqual({ status: "applied" });
      expect(await see("host1", "A")).toBeUndefined();
    });

    it("does all of a call or nothing, where one change is stale", async () => {
      const stale = changeOf(rrsetIn(zone, "never", "A", ["192.0.2.1"]), undefined);
      const outcome = await providerWith(keyOf()).apply(zone, [probe("batch"), stale]);
      expect(outcome).toMatchObject({ status: "stale", changes: [stale] });
      expect(await see("batch", "A")).toBeUndefined();
    });

    it("does all of a call or nothing, where one name is not of the zone", async () => {
      const foreign = changeOf(undefined, rrsetIn(domainName("example.net"), "www", "A", ["192.0.2.1"]));
      const outcome = await providerWith(keyOf()).apply(zone, [probe("batch2"), foreign]);
      expect(outcome).toMatchObject({ status: "failed", cause: "refused" });
      expect(await see("batch2", "A")).toBeUndefined();
    });

    it("puts no CNAME beside other records, and says so", async () => {
      const provider = providerWith(keyOf());
      expect(await provider.apply(zone, [probe("host")])).toEqual({ status: "applied" });
      const alias = changeOf(undefined, rrsetIn(zone, "host", "CNAME", ["ns"]));
      expect(await provider.apply(zone, [alias])).toMatchObject({
        status: "failed",
        cause: "refused",
        detail: expect.stringContaining("host.example.org has A records, and a CNAME stands alone"),
      });
      const real = changeOf(undefined, rrsetIn(zone, "alias", "CNAME", ["ns"]));
      expect(await provider.apply(zone, [real])).toEqual({ status: "applied" });
      expect(await provider.apply(zone, [probe("alias")])).toMatchObject({
        status: "failed",
        cause: "refused",
        detail: expect.stringContaining("alias.example.org has CNAME records"),
      });
    });

    it("turns an address into an alias, and back", async () => {
      const provider = providerWith(keyOf());
      expect(await provider.apply(zone, [probe("turn")])).toEqual({ status: "applied" });
      const address = rrsetIn(zone, "turn", "A", ["192.0.2.1"]);
      const alias = rrsetIn(zone, "turn", "CNAME", ["ns"]);
      const there = [changeOf(undefined, alias), changeOf(address, undefined)];
      expect(await provider.apply(zone, there)).toEqual({ status: "applied" });
      expect([await see("turn", "CNAME"), await see("turn", "A")]).toEqual([alias, undefined]);
      const back = [changeOf(undefined, address), changeOf(alias, undefined)];
      expect(await provider.apply(zone, back)).toEqual({ status: "applied" });
      expect([await see("turn", "CNAME"), await see("turn", "A")]).toEqual([undefined, address]);
    });

    it("changes nothing but a TTL", async () => {
      const provider = providerWith(keyOf());
      const [short, long] = [60, 7200].map((ttl) => rrsetIn(zone, "ttl", "TXT", ['"a"', '"b"'], ttl));
      expect(await provider.apply(zone, [changeOf(undefined, short)])).toEqual({ status: "applied" });
      expect(await provider.apply(zone, [changeOf(short, long)])).toEqual({ status: "applied" });
      expect((await see("ttl", "TXT"))?.ttlSeconds).toBe(7200);
    });

    const wrong: [title: string, open: () => Provider, cause: string, detail: () => string][] = [
      ["an unknown key", () => providerWith(keyOf({ name: "other" })), "credentials", () => kind.unknownKey],
      [
        "a wrong secret",
        () => providerWith(keyOf({ secret: "AAAA" })),
        "credentials",
        () => kind.wrongSecret,
      ],
      [
        "a wrong algorithm",
        () => providerWith(keyOf({ algorithm: "hmac-sha512" })),
        "credentials",
        () => "testkey",
      ],
      [
        "a clock an hour behind",
        () => providerWith(keyOf(), () => Date.now() - 3_600_000),
        kind.wrongTime[0],
        () => kind.wrongTime[1],
      ],
    ];
    it.each(wrong)("with %s reads and changes nothing, and says why", async (_title, open, cause, detail) => {
      const provider = open();
      const outcomes = [
        await provider.readZone(zone),
        await provider.apply(zone, [probe("wrong")]),
        await provider.tryWriting?.(zone),
      ];
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({
          status: "failed",
          cause,
          detail: expect.stringContaining(detail()),
        });
      }
      expect(await see("wrong", "A")).toBeUndefined();
    });

    it("is asked for leave to write without a change", async () => {
      const serial = async () => (await contentOf(providerWith(keyOf()), zone)).serial;
      const before = await serial();
      expect(await providerWith(keyOf()).tryWriting?.(zone)).toBeUndefined();
      expect(await serial()).toBe(before);
    });

    it("without a key reads and changes nothing", async () => {
      const provider = providerWith(undefined);
      expect(await provider.readZone(zone)).toMatchObject({ status: "failed", cause: "credentials" });
      const outcome = await provider.apply(zone, [probe("nokey")]);
      expect(outcome).toMatchObject({ status: "failed", cause: "credentials" });
      expect(await see("nokey", "A")).toBeUndefined();
    });

    it("loses nothing where two publishers change one RRset at the same time", async () => {
      const ROUNDS = 60;
      let staleCount = 0;
      const name = domainName(`race.${zone}`);
      /** Each adds one to the number that it reads. */
      const count = async () => {
        const provider = providerWith(keyOf());
        for (let done = 0; done < ROUNDS; ) {
          const before = findRrset(await contentOf(provider, zone), name, "TXT");
          const after = rrsetIn(zone, "race", "TXT", [`"${numberIn(before) + 1}"`]);
          const outcome = await provider.apply(zone, [changeOf(before, after)]);
          if (outcome.status === "applied") done++;
          else if (outcome.status === "stale") staleCount++;
          else throw new Error(JSON.stringify(outcome));
        }
      };
      await Promise.all([count(), count()]);
      expect(numberIn(await see("race", "TXT"))).toBe(2 * ROUNDS);
      expect(staleCount, "they did meet").toBeGreaterThan(0);
    }, 120_000);
  });
}

describe("servers that are not there", () => {
  it("are unreachable", async () => {
    const server = { address: "127.0.0.1", port: await freePort() };
    const provider = createRfc2136Provider(createDnsUpdateClient({ server, key: keyOf(), now: Date.now }));
    expect(await provider.readZone(zone)).toMatchObject({ status: "failed", cause: "unreachable" });
    const change = changeOf(undefined, rrsetIn(zone, "www", "A", ["192.0.2.1"]));
    expect(await provider.apply(zone, [change])).toMatchObject({
      status: "failed",
      cause: "unreachable",
      detail: expect.stringContaining("connection was refused"),
    });
  });
});

describeWithServers(["named"], "keys of BIND", () => {
  it("that may read and not write are found out without a change", async () => {
    const server = { address: "127.0.0.1", port: await freePort() };
    const running = await startBind({
      ...server,
      zones: [zones[0]!],
      options: "allow-transfer { key testkey; };",
      statements: `key testkey { algorithm ${ALGORITHM}; secret "${SECRET}"; };`,
      zoneStatements: () => "allow-update { none; };",
    });
    try {
      const provider = createRfc2136Provider(createDnsUpdateClient({ server, key: keyOf(), now: Date.now }));
      expect(await provider.readZone(zone)).toMatchObject({ status: "read" });
      expect(await provider.tryWriting?.(zone)).toMatchObject({ status: "failed", cause: "refused" });
    } finally {
      await running.stop();
    }
  });

  it.each(["hmac-sha256", "hmac-sha384", "hmac-sha512"])("%s", async (algorithm) => {
    const server = { address: "127.0.0.1", port: await freePort() };
    const running = await startBind({
      ...server,
      zones: [zones[0]!, zones[2]!],
      options: "allow-transfer { key testkey; };",
      statements: `key testkey { algorithm ${algorithm}; secret "${SECRET}"; };`,
      zoneStatements: () => "allow-update { key testkey; };",
    });
    try {
      const client = createDnsUpdateClient({ server, key: keyOf({ algorithm }), now: Date.now });
      const provider = createRfc2136Provider(client);
      const change = changeOf(undefined, rrsetIn(zone, "www", "A", ["192.0.2.1"]));
      expect(await provider.apply(zone, [change])).toEqual({ status: "applied" });
      expect((await contentOf(provider, largeZone)).rrsets).toHaveLength(LARGE_COUNT + 2);
    } finally {
      await running.stop();
    }
  });
});

const signers: readonly [
  title: string,
  programs: readonly string[],
  start: (port: number) => Promise<RunningServer>,
][] = [
  [
    "BIND",
    ["named"],
    (port) =>
      startBind({
        address: "127.0.0.1",
        port,
        zones: [zoneText(zone)],
        options: "allow-transfer { key testkey; };",
        statements: `key testkey { algorithm ${ALGORITHM}; secret "${SECRET}"; };`,
        zoneStatements: () =>
          "update-policy { grant testkey zonesub ANY; }; dnssec-policy default; inline-signing yes;",
      }),
  ],
  [
    "Knot",
    ["knotd"],
    (port) =>
      startKnot({
        address: "127.0.0.1",
        port,
        zones: [zoneText(zone)],
        sections: `${KNOT_KEY}
policy:
  - id: testpolicy
    algorithm: ecdsap256sha256
    single-type-signing: on`,
        zoneLines: () => "    acl: testacl\n    dnssec-signing: on\n    dnssec-policy: testpolicy",
      }),
  ],
  [
    "PowerDNS",
    POWERDNS_PROGRAMS,
    (port) =>
      startPowerdns({
        address: "127.0.0.1",
        port,
        zones: [zoneText(zone)],
        key: { name: "testkey", algorithm: ALGORITHM, secret: SECRET },
        signs: true,
      }),
  ],
];

for (const [title, programs, start] of signers) {
  describeWithServers(programs, `a zone that ${title} signs`, () => {
    it("is read without what signing makes, and changed like any other", async () => {
      const server = { address: "127.0.0.1", port: await freePort() };
      const running = await start(server.port);
      try {
        const client = createDnsUpdateClient({ server, key: keyOf(), now: Date.now });
        const provider = createRfc2136Provider(client);
        const made = new Set<string>();
        for (let tries = 0; tries < 200 && !(made.has("RRSIG") && made.has("NSEC")); tries++) {
          const whole = await client.transfer(zone);
          if (whole.status === "transferred") for (const { data } of whole.records) made.add(data.type);
          await sleep(50);
        }
        expect([...made]).toEqual(expect.arrayContaining(["RRSIG", "DNSKEY", "NSEC"]));
        // BIND signs behind the update, so what is signed comes a moment later.
        const settle = async (expected: string[]) => {
          let types: string[] = [];
          for (let tries = 0; tries < 100 && types.join() !== expected.join(); tries++) {
            if (tries > 0) await sleep(50);
            types = (await contentOf(provider, zone)).rrsets.map(({ type }) => type).sort();
          }
          expect(types).toEqual(expected);
        };
        await settle(["A", "NS"]);
        const record = rrsetIn(zone, "_dmarc", "TXT", ['"v=DMARC1; p=none"']);
        const alias = rrsetIn(zone, "autoconfig", "CNAME", ["ns"]);
        const create = [record, alias].map((each) => changeOf(undefined, each));
        expect(await provider.apply(zone, create)).toEqual({ status: "applied" });
        await settle(["A", "CNAME", "NS", "TXT"]);
        expect(await provider.apply(zone, create)).toMatchObject({ status: "stale", changes: create });
        const remove = [record, alias].map((each) => changeOf(each, undefined));
        expect(await provider.apply(zone, remove)).toEqual({ status: "applied" });
        await settle(["A", "NS"]);
      } finally {
        await running.stop();
      }
    });
  });
}
