/** The DNS client against real BIND, Knot and Unbound on loopback: a small Internet with its faults. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AuthoritativeView, RecursiveView } from "../../src/check/view.ts";
import { startDnsServer } from "../../src/net/dns-server.ts";
import { createDnsTransport } from "../../src/net/dns-transport.ts";
import { createRecursiveView } from "../../src/net/recursive-resolver.ts";
import { createAuthoritativeView } from "../../src/net/zone-survey.ts";
import { domainName, ROOT } from "../../src/standards/dns/name.ts";
import type { RecordType } from "../../src/standards/dns/record.ts";
import { startBind } from "../support/bind.ts";
import { freePort } from "../support/free-port.ts";

import { startKnot } from "../support/knot.ts";
import { Stoppables, signZone, tampered, zoneText } from "../support/laboratory.ts";
import { describeWithServers } from "../support/real-server.ts";
import { mx } from "../support/table-resolver.ts";
import { startUnbound } from "../support/unbound.ts";

const ROOT_SERVER = "127.0.3.1";
const TLD_SERVER = "127.0.3.2";
const BIND = "127.0.0.1";
const KNOT = "127.0.3.4";
const GARBAGE = "127.0.3.5";
const RESOLVER = "127.0.3.6";
const LIAR = "127.0.3.7";
const REFUSER = "127.0.3.8";
const DEAD = "127.0.3.99";

const name = domainName;
const bothServers = ["@ NS ns1.example.org.", "@ NS ns2.example.org."];
const bigText = Array.from({ length: 40 }, (_, at) => `big TXT "${`${at} `.padEnd(200, "x")}"`);

describeWithServers(["named", "knotd", "unbound", "dnssec-signzone"], "the walk among real servers", () => {
  const world = new Stoppables();
  let port: number;
  let view: AuthoritativeView;
  const resolver: Record<string, RecursiveView> = {};

  beforeAll(async () => {
    port = await freePort();
    const exampleOrg = signZone(
      zoneText("example.org", 7, [
        ...bothServers,
        `ns1 A ${BIND}`,
        `ns2 A ${KNOT}`,
        "@ MX 10 mail",
        "mail A 192.0.2.25",
        "www CNAME web.example.com.",
        "deep.under TXT deep",
        "*.wild TXT any",
        ...bigText,
      ]),
    );
    const bogus = tampered(
      signZone(zoneText("bogus.org", 1, [...bothServers, "mail A 192.0.2.80"])),
      "192.0.2.80",
      "192.0.2.81",
    );
    const exampleCom = zoneText("example.com", 1, [...bothServers, "web A 192.0.2.1"]);
    const apart = (serial: number, ...lines: string[]) =>
      zoneText("apart.org", serial, [...bothServers, ...lines]);
    const lame = zoneText("lame.org", 1, [...bothServers, "mail A 192.0.2.2"]);
    const half = zoneText("half.org", 1, [
      "@ NS ns1.example.org.",
      "@ NS ns",
      `ns A ${DEAD}`,
      "mail A 192.0.2.3",
    ]);
    const org = signZone(
      zoneText("org", 1, [
        `@ NS ns`,
        `ns A ${TLD_SERVER}`,
        `example NS ns1.example`,
        `example NS ns2.example`,
        `ns1.example A ${BIND}`,
        `ns2.example A ${KNOT}`,
        exampleOrg.ds,
        ...["bogus", "apart", "lame"].flatMap((zone) => [
          `${zone} NS ns1.example.org.`,
          `${zone} NS ns2.example.org.`,
        ]),
        bogus.ds,
        "half NS ns1.example.org.",
        "half NS ns.half",
        `ns.half A ${DEAD}`,
        "dead NS ns.dead",
        `ns.dead A ${DEAD}`,
        "shut NS ns.shut",
        `ns.shut A ${REFUSER}`,
        "garbage NS ns.garbage",
        `ns.garbage A ${GARBAGE}`,
      ]),
    );
    const com = zoneText("com", 1, [
      "@ NS ns",
      `ns A ${TLD_SERVER}`,
      "example NS ns1.example.org.", // no glue: the servers live below another zone
      "example NS ns2.example.org.",
    ]);
    const root = signZone(
      zoneText(".", 1, [
        "@ NS ns.root.",
        `ns.root. A ${ROOT_SERVER}`,
        "org NS ns.org.",
        `ns.org A ${TLD_SERVER}`,
        org.ds,
        "com NS ns.com.",
        `ns.com A ${TLD_SERVER}`,
      ]),
    );

    const servers = [
      startKnot({ address: ROOT_SERVER, port, zones: [root] }),
      startKnot({ address: TLD_SERVER, port, zones: [org, com] }),
      startBind({
        address: BIND,
        port,
        zones: [exampleOrg, exampleCom, bogus, apart(5, "mail A 192.0.2.5", "new A 192.0.2.6"), lame, half],
      }),
      startKnot({
        address: KNOT,
        port,
        zones: [exampleOrg, exampleCom, bogus, apart(4, "mail A 192.0.2.4")],
      }),
    ].map(async (starting) => world.add(await starting));
    await Promise.all(servers);

    const garbage = createSocket("udp4").bind(port, GARBAGE);
    await once(garbage, "listening");
    garbage.on("message", (query, from) => {
      // the right id and question, and an answer that ends in the middle
      const reply = Buffer.concat([query, Buffer.from([0xc0, 0x0c, 0, 1])]);
      reply.writeUInt16BE(0x8400, 2);
      reply.writeUInt16BE(1, 6);
      garbage.send(reply, from.port, from.address);
    });
    world.add(garbage);

    const at = (...addresses: string[]) => addresses.map((address) => ({ address, port }));
    const stubs: [string, string[]][] = [
      [".", [ROOT_SERVER]],
      ["org", [TLD_SERVER]],
      ["com", [TLD_SERVER]],
      ["example.org", [BIND, KNOT]],
      ["example.com", [BIND, KNOT]],
      ["bogus.org", [BIND, KNOT]],
      ["apart.org", [BIND]],
      ["shut.org", [REFUSER]],
    ];
    world.add(
      await startUnbound({
        address: RESOLVER,
        port,
        zones: stubs.map(([apex, addresses]) => ({ apex: name(apex), servers: at(...addresses) })),
        trustAnchor: root.key.replaceAll('"', ""),
      }),
    );
    const lie = { name: name("example.org"), ttlSeconds: 300 };
    const soa = {
      primary: ROOT,
      mailbox: ROOT,
      serial: 1,
      refreshSeconds: 1,
      retrySeconds: 1,
      expireSeconds: 1,
    };
    world.add(
      await startDnsServer({
        address: LIAR,
        port,
        zones: [
          {
            apex: name("example.org"),
            records: [
              { ...lie, data: { type: "SOA", ...soa, minimumSeconds: 1 } },
              { ...lie, data: mx(5, "elsewhere.example.com") },
            ],
          },
        ],
      }),
    );
    world.add(await startDnsServer({ address: REFUSER, port, zones: [] }));

    const transport = world.add(createDnsTransport());
    const now = () => Date.now();
    view = createAuthoritativeView({
      rootHints: [{ name: name("ns.root"), addresses: [ROOT_SERVER] }],
      port,
      transport,
      now,
      firstTimeoutMilliseconds: 150,
    });
    for (const address of [RESOLVER, LIAR, REFUSER, ROOT_SERVER, DEAD]) {
      resolver[address] = createRecursiveView({
        server: { address, port },
        transport,
        now,
        timeoutMilliseconds: address === DEAD ? 1_000 : 8_000,
      });
    }
  });
  afterAll(() => world.stopAll());

  const published: [string, RecordType, string, object][] = [
    [
      "example.org",
      "MX",
      "glue from the zone above",
      { status: "found", records: [{ data: { preference: 10 } }] },
    ],
    ["web.example.com", "A", "no glue: servers in another zone", { status: "found" }],
    ["www.example.org", "A", "an alias across zones", { status: "found", canonicalName: "web.example.com" }],
    ["www.example.org", "CNAME", "the alias itself", { status: "found", aliases: [] }],
    [
      "under.example.org",
      "TXT",
      "an empty non-terminal",
      { status: "absent", kind: "nodata", negativeTtlSeconds: 60 },
    ],
    ["x.wild.example.org", "TXT", "a wildcard", { status: "found", canonicalName: "x.wild.example.org" }],
    ["no.example.org", "TXT", "a name that does not exist", { status: "absent", kind: "nxdomain" }],
    [
      "big.example.org",
      "TXT",
      "too big for a datagram",
      { status: "found", records: bigText.map(() => ({})) },
    ],
    ["example.org", "DS", "what only the zone above holds", { status: "found" }],
    ["mail.lame.org", "A", "one of two servers is lame", { status: "found" }],
    ["mail.half.org", "A", "one of two servers is dead", { status: "found" }],
    ["mail.bogus.org", "A", "published, whatever its signatures", { status: "found" }],
    ["mail.dead.org", "A", "every server is dead", { status: "unknown", cause: "timeout" }],
    ["mail.shut.org", "A", "the server refuses", { status: "unknown", cause: "refused" }],
    ["mail.garbage.org", "A", "the server sends garbage", { status: "unknown", cause: "malformed" }],
  ];
  it.each(published)("sees %s %s as it is: %s", async (owner, type, _, expected) => {
    const answer = await view.lookup(name(owner), type);
    expect(answer).toMatchObject(expected);
  });

  it("sees which server is out of step", async () => {
    const zone = await view.findZone(name("apart.org"));
    expect(zone).toMatchObject({
      status: "found",
      zone: {
        parent: "org",
        delegatedTo: ["ns1.example.org", "ns2.example.org"],
        unresolvable: [],
        servers: [
          { server: { address: BIND }, state: "ok", serial: 5 },
          { server: { address: KNOT }, state: "ok", serial: 4 },
        ],
      },
    });
    const ask = (owner: string) => view.askEveryServer(name(owner), "A");
    expect(await ask("mail.apart.org")).toMatchObject([
      { answer: { records: [{ data: { address: "192.0.2.5" } }] } },
      { answer: { records: [{ data: { address: "192.0.2.4" } }] } },
    ]);
    expect((await ask("new.apart.org")).map(({ answer }) => answer.status)).toEqual(["found", "absent"]);
  });

  const states: [string, string, object[]][] = [
    ["lame.org", "refused by one", [{ state: "ok" }, { state: "lame", cause: "refused" }]],
    ["half.org", "one silent", [{ state: "unknown", cause: "timeout" }, { state: "ok" }]],
    ["dead.org", "all silent", [{ state: "unknown", cause: "timeout" }]],
    ["garbage.org", "garbage", [{ state: "unknown", cause: "malformed" }]],
    ["example.com", "all well", [{ state: "ok" }, { state: "ok" }]],
  ];
  it.each(states)("tells the state of each server of %s: %s", async (apex, _, servers) => {
    expect(await view.findZone(name(apex))).toMatchObject({ status: "found", zone: { apex, servers } });
    for (const { answer } of await view.askEveryServer(name(apex), "SOA")) {
      expect(answer.status).not.toBe("absent");
    }
  });

  it("reads signatures where a zone is signed, and none where it is not", async () => {
    expect(await view.lookupSignatures(name("example.org"), "MX")).toMatchObject([
      { typeCovered: "MX", algorithm: 13, signerName: "example.org" },
    ]);
    expect(await view.lookupSignatures(name("mail.apart.org"), "A")).toEqual([]);
  });

  const seen: [string, string, RecordType, string, object][] = [
    [RESOLVER, "example.org", "MX", "signed", { status: "found", secure: true }],
    [
      RESOLVER,
      "no.example.org",
      "MX",
      "signed absence",
      { status: "absent", kind: "nxdomain", secure: true },
    ],
    [RESOLVER, "mail.apart.org", "A", "unsigned", { status: "found", secure: false }],
    [
      RESOLVER,
      "www.example.org",
      "A",
      "signed alias into an unsigned zone",
      { status: "found", secure: false },
    ],
    [RESOLVER, "big.example.org", "TXT", "over TCP", { status: "found", secure: true }],
    [
      RESOLVER,
      "mail.bogus.org",
      "A",
      "data changed behind its signatures",
      { status: "unknown", cause: "bogus" },
    ],
    [RESOLVER, "mail.shut.org", "A", "servers that refuse", { status: "unknown", cause: "servfail" }],
    [
      LIAR,
      "example.org",
      "MX",
      "a resolver that lies",
      { records: [{ data: { preference: 5 } }], secure: false },
    ],
    [REFUSER, "example.org", "MX", "a resolver that refuses", { status: "unknown", cause: "refused" }],
    [ROOT_SERVER, "example.org", "MX", "a server that refers", { status: "unknown", cause: "refused" }],
    [DEAD, "example.org", "MX", "nobody", { status: "unknown", cause: "timeout" }],
  ];
  it.each(seen)("through %s, %s %s: %s", async (address, owner, type, _, expected) => {
    expect(await resolver[address]!.lookup(name(owner), type)).toMatchObject(expected);
  });

  it("passes on why validation failed", async () => {
    const answer = await resolver[RESOLVER]!.lookup(name("mail.bogus.org"), "A");
    expect(answer.status === "unknown" && answer.detail).toMatch(/SERVFAIL \(DNSSEC bogus/);
  });
});
