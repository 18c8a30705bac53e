import { afterEach, describe, expect, it } from "vitest";
import { a, aaaa, cname, mx, txt } from "../../test/support/table-resolver.ts";
import type { AuthoritativeView, ZoneReport } from "../check/view.ts";
import { domainName } from "../standards/dns/name.ts";
import type { Rdata, ResourceRecord } from "../standards/dns/record.ts";
import { EVER, type Since } from "./answer-cache.ts";
import { type DnsServer, type Laboratory, startDnsServer } from "./dns-server.ts";
import { createDnsTransport } from "./dns-transport.ts";
import type { ServedZone } from "./served-zone.ts";
import { createAuthoritativeViews } from "./zone-survey.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const ns = (target: string): Rdata => ({ type: "NS", target: domainName(target) });
const soa = (serial: number): Rdata => ({
  type: "SOA",
  primary: domainName("ns1.example.org"),
  mailbox: domainName("hostmaster.example.org"),
  serial,
  refreshSeconds: 3600,
  retrySeconds: 600,
  expireSeconds: 86_400,
  minimumSeconds: 60,
});

/** "mail.example.org" → data; SOA with the serial given. */
function zone(apex: string, serial: number, rows: Record<string, readonly Rdata[]>): ServedZone {
  const records = Object.entries(rows).flatMap(([owner, data]) =>
    data.map((each): ResourceRecord => ({ name: domainName(owner), ttlSeconds: 300, data: each })),
  );
  return {
    apex: domainName(apex),
    records: [{ name: domainName(apex), ttlSeconds: 300, data: soa(serial) }, ...records],
  };
}

interface Place {
  readonly zones?: readonly ServedZone[];
  readonly laboratory?: Laboratory;
}

/** One server per loopback address, all on one port; 127.0.1.1 is the root. */
async function world(places: Record<string, Place>): Promise<{
  view: AuthoritativeView;
  viewSince: (since: Since) => AuthoritativeView;
  servers: Record<string, DnsServer>;
  now: { milliseconds: number };
}> {
  const servers: Record<string, DnsServer> = {};
  let port = 0;
  for (const [address, { zones = [], laboratory = {} }] of Object.entries(places)) {
    const server = await startDnsServer({ address, port, zones, laboratory });
    closing.push(() => server.close());
    servers[address] = server;
    port = server.port;
  }
  const transport = createDnsTransport();
  closing.push(() => transport.close());
  const now = { milliseconds: 0 };
  const viewSince = createAuthoritativeViews({
    rootHints: [{ name: domainName("root.test"), addresses: ["127.0.1.1"] }],
    port,
    transport,
    now: () => now.milliseconds,
    timeoutMilliseconds: 5_000,
    // Short only where somebody does not answer.
    firstTimeoutMilliseconds: Object.values(places).some(({ laboratory }) => laboratory) ? 150 : 3_000,
  });
  return { view: viewSince(EVER), viewSince, servers, now };
}

const name = domainName;
const root = (rows: Record<string, readonly Rdata[]>) => zone(".", 1, { ".": [ns("root.test")], ...rows });
const exampleOrg = (serial: number, rows: Record<string, readonly Rdata[]> = {}) =>
  zone("example.org", serial, {
    "example.org": [ns("ns1.example.org"), ns("ns2.example.org"), mx(10, "mail.example.org")],
    "ns1.example.org": [a("127.0.1.2")],
    "ns2.example.org": [a("127.0.1.3")],
    "mail.example.org": [a("192.0.2.25"), aaaa("2001:db8::25")],
    "deep.under.example.org": [txt("deep")],
    "*.wild.example.org": [txt("any")],
    ...rows,
  });
const delegated = {
  "example.org": [ns("ns1.example.org"), ns("ns2.example.org")],
  "ns1.example.org": [a("127.0.1.2")],
  "ns2.example.org": [a("127.0.1.3")],
};
const dead: Place = { laboratory: { alter: () => undefined } };

async function zoneOf(view: AuthoritativeView, owner: string): Promise<ZoneReport> {
  const answer = await view.findZone(name(owner));
  if (answer.status !== "found") throw new Error(JSON.stringify(answer));
  return answer.zone;
}

describe("the walk", () => {
  it("finds records, absences and their causes, by referral", async () => {
    const { view, servers } = await world({
      "127.0.1.1": { zones: [root(delegated)] },
      "127.0.1.2": { zones: [exampleOrg(1)] },
      "127.0.1.3": { zones: [exampleOrg(1)] },
    });
    const rows: [string, "MX" | "TXT" | "A", object][] = [
      ["example.org", "MX", { status: "found", records: [{ data: { preference: 10 } }] }],
      ["under.example.org", "TXT", { status: "absent", kind: "nodata", negativeTtlSeconds: 60 }],
      ["no.example.org", "TXT", { status: "absent", kind: "nxdomain", negativeTtlSeconds: 60 }],
      ["x.y.wild.example.org", "TXT", { status: "found", canonicalName: "x.y.wild.example.org" }],
      ["wild.example.org", "TXT", { status: "absent", kind: "nodata" }],
      ["missing", "A", { status: "absent", kind: "nxdomain" }],
    ];
    for (const [owner, type, expected] of rows) {
      expect(await view.lookup(name(owner), type), owner).toMatchObject(expected);
    }
    // the delegation was learnt once; afterwards the root is asked only for names elsewhere
    expect(servers["127.0.1.1"]!.queryCount).toBe(2);
  });

  it("asks once for all who ask at the same time, and again when the TTL is over", async () => {
    const { view, servers, now } = await world({
      "127.0.1.1": { zones: [root({ ...delegated, "example.org": [ns("ns1.example.org")] })] },
      "127.0.1.2": { zones: [exampleOrg(1)] },
    });
    const ask = () => view.lookup(name("mail.example.org"), "A");
    const asked = () => servers["127.0.1.2"]!.queryCount;
    await Promise.all([ask(), ask(), ask()]);
    expect(asked()).toBe(1);
    now.milliseconds = 299_000;
    await ask();
    expect(asked()).toBe(1);
    now.milliseconds = 301_000;
    await ask();
    expect(asked()).toBe(2);
  });

  it("follows aliases across zones, and says where they turn in a circle", async () => {
    const { view } = await world({
      "127.0.1.1": {
        zones: [
          root({
            ...delegated,
            "example.com": [ns("ns.example.com")],
            "ns.example.com": [a("127.0.1.4")],
          }),
        ],
      },
      "127.0.1.2": {
        zones: [
          exampleOrg(1, {
            "alias.example.org": [cname("there.example.com")],
            "gone.example.org": [cname("nothing.example.com")],
            "circle.example.org": [cname("circle.example.com")],
            "self.example.org": [cname("self.example.org")],
            "old.example.org": [{ type: "DNAME", target: name("new.example.com") }],
          }),
        ],
      },
      "127.0.1.3": dead,
      "127.0.1.4": {
        zones: [
          zone("example.com", 1, {
            "example.com": [ns("ns.example.com")],
            "ns.example.com": [a("127.0.1.4")],
            "there.example.com": [a("192.0.2.1")],
            "www.new.example.com": [a("192.0.2.2")],
            "circle.example.com": [cname("circle.example.org")],
          }),
        ],
      },
    });
    expect(await view.lookup(name("alias.example.org"), "A")).toMatchObject({
      status: "found",
      aliases: ["alias.example.org"],
      canonicalName: "there.example.com",
    });
    expect(await view.lookup(name("alias.example.org"), "CNAME")).toMatchObject({
      status: "found",
      aliases: [],
    });
    expect(await view.lookup(name("www.old.example.org"), "A")).toMatchObject({
      canonicalName: "www.new.example.com",
    });
    expect(await view.lookup(name("gone.example.org"), "A")).toMatchObject({
      status: "absent",
      kind: "nxdomain",
      aliases: ["gone.example.org"],
    });
    for (const owner of ["circle.example.org", "self.example.org"]) {
      expect(await view.lookup(name(owner), "A"), owner).toMatchObject({ status: "unknown", cause: "loop" });
    }
  });

  it("resolves name servers without glue by walks of their own, and does not trust glue from elsewhere", async () => {
    const { view } = await world({
      "127.0.1.1": {
        zones: [
          root({
            com: [ns("ns.com")],
            "ns.com": [a("127.0.1.5")],
            "example.org": [ns("ns.example.com")],
          }),
        ],
      },
      "127.0.1.5": {
        zones: [
          zone("com", 1, {
            com: [ns("ns.com")],
            "ns.com": [a("127.0.1.5")],
            "example.com": [ns("ns.example.com"), ns("ns.forged.org")],
            "ns.example.com": [a("127.0.1.4")],
          }),
        ],
        laboratory: {
          // "com" says where a name of "org" is: nobody asked it, and it must not be believed
          alter: (reply) => ({
            ...reply,
            additionals: [
              ...reply.additionals,
              { name: name("ns.forged.org"), ttlSeconds: 300, data: a("127.0.1.9") },
            ],
          }),
        },
      },
      "127.0.1.9": { zones: [zone("example.com", 666, { "mail.example.com": [a("203.0.113.66")] })] },
      "127.0.1.4": {
        zones: [
          zone("example.com", 1, {
            "example.com": [ns("ns.example.com")],
            "ns.example.com": [a("127.0.1.4")],
            "mail.example.com": [a("192.0.2.1")],
          }),
          exampleOrg(1),
        ],
      },
    });
    expect(await view.lookup(name("mail.example.org"), "A")).toMatchObject({
      status: "found",
      records: [{ data: { address: "192.0.2.25" } }],
    });
    for (let n = 0; n < 8; n++) {
      expect(
        await view.lookup(name(n === 0 ? "mail.example.com" : `x${n}.example.com`), "A"),
      ).not.toMatchObject({
        records: [{ data: { address: "203.0.113.66" } }],
      });
    }
  });

  const failing: [string, Record<string, Place>, string][] = [
    [
      "name servers that need each other",
      {
        "127.0.1.1": {
          zones: [root({ "example.org": [ns("ns.example.com")], "example.com": [ns("ns.example.org")] })],
        },
      },
      "loop",
    ],
    [
      "a name server inside the zone without glue",
      { "127.0.1.1": { zones: [root({ "example.org": [ns("ns.example.org")] })] } },
      "loop",
    ],
    [
      "silent servers",
      { "127.0.1.1": { zones: [root(delegated)] }, "127.0.1.2": dead, "127.0.1.3": dead },
      "timeout",
    ],
    [
      "servers that refuse",
      { "127.0.1.1": { zones: [root(delegated)] }, "127.0.1.2": {}, "127.0.1.3": {} },
      "refused",
    ],
    [
      "servers that send garbage",
      {
        "127.0.1.1": { zones: [root(delegated)] },
        "127.0.1.2": { laboratory: { alter: (_reply, query) => garbage(query.id) } },
        "127.0.1.3": { laboratory: { alter: (_reply, query) => garbage(query.id) } },
      },
      "timeout",
    ],
    [
      "servers that answer without authority",
      {
        "127.0.1.1": { zones: [root(delegated)] },
        "127.0.1.2": withoutAuthority(),
        "127.0.1.3": withoutAuthority(),
      },
      "loop",
    ],
    [
      "servers that refer upwards",
      {
        "127.0.1.1": { zones: [root(delegated)] },
        "127.0.1.2": { zones: [root(delegated)] },
        "127.0.1.3": { zones: [root(delegated)] },
      },
      "loop",
    ],
    ["a silent root", { "127.0.1.1": dead }, "timeout"],
  ];
  it.each(failing)("never takes %s for an absence", async (_, places, cause) => {
    const { view } = await world(places);
    const answer = await view.lookup(name("mail.example.org"), "A");
    expect(answer).toMatchObject({ status: "unknown", cause });
    expect((await view.findZone(name("mail.example.org"))).status).toBe("unknown");
    expect((await view.findZone(name("example.org"))).status).not.toBe("absent");
  });

  it("tries past a lame and a silent server", async () => {
    const { view } = await world({
      "127.0.1.1": {
        zones: [
          root({
            "example.org": [ns("ns1.example.org"), ns("ns2.example.org"), ns("ns3.example.org")],
            "ns1.example.org": [a("127.0.1.2")],
            "ns2.example.org": [a("127.0.1.3")],
            "ns3.example.org": [a("127.0.1.4")],
          }),
        ],
      },
      "127.0.1.2": {},
      "127.0.1.3": dead,
      "127.0.1.4": { zones: [exampleOrg(1)] },
    });
    for (let n = 0; n < 5; n++) {
      expect((await view.lookup(name(`x${n}.wild.example.org`), "TXT")).status).toBe("found");
    }
  });

  it("asks the parent's servers for DS", async () => {
    const ds: Rdata = { type: "DS", keyTag: 1, algorithm: 13, digestType: 2, digest: new Uint8Array(32) };
    const { view } = await world({
      "127.0.1.1": { zones: [root({ ...delegated, "example.org": [...delegated["example.org"], ds] })] },
      "127.0.1.2": { zones: [exampleOrg(1)] },
      "127.0.1.3": { zones: [exampleOrg(1)] },
    });
    expect((await view.lookup(name("mail.example.org"), "A")).status).toBe("found");
    expect(await view.lookup(name("example.org"), "DS")).toMatchObject({
      status: "found",
      records: [{ data: ds }],
    });
    expect((await view.askEveryServer(name("example.org"), "DS")).map(({ answer }) => answer.status)).toEqual(
      ["found"],
    );
    expect(await view.lookup(name("mail.example.org"), "DS")).toMatchObject({
      status: "absent",
      kind: "nodata",
    });
  });

  it("goes back to the parent when a zone has moved", async () => {
    const { view, servers } = await world({
      "127.0.1.1": { zones: [root({ ...delegated, "example.org": [ns("ns1.example.org")] })] },
      "127.0.1.2": { zones: [exampleOrg(1)] },
      "127.0.1.3": { zones: [exampleOrg(2, { "new.example.org": [a("192.0.2.7")] })] },
    });
    expect((await view.lookup(name("mail.example.org"), "A")).status).toBe("found");
    servers["127.0.1.1"]!.replaceZones([root({ ...delegated, "example.org": [ns("ns2.example.org")] })]);
    servers["127.0.1.2"]!.replaceZones([]);
    expect((await view.lookup(name("new.example.org"), "A")).status).toBe("found");
  });
});

describe("findZone and askEveryServer", () => {
  it("compares parent and child, and tells the state of every server", async () => {
    const places = {
      "127.0.1.1": {
        zones: [
          root({
            ...delegated,
            "example.org": [...delegated["example.org"], ns("lame.example.org"), ns("nowhere.example.com")],
            "lame.example.org": [a("127.0.1.5")],
          }),
        ],
      },
      "127.0.1.2": {
        zones: [
          exampleOrg(7, {
            "example.org": [ns("ns1.example.org"), ns("ns2.example.org"), ns("ns4.example.org")],
            "ns4.example.org": [a("127.0.1.4")],
            "_dmarc.example.org": [txt("v=DMARC1; p=none")],
          }),
        ],
      },
      "127.0.1.3": dead,
      "127.0.1.4": { zones: [exampleOrg(6)] },
      "127.0.1.5": {},
    };
    const { view } = await world(places);
    const report = await zoneOf(view, "mail.example.org");
    expect(report).toMatchObject({
      apex: "example.org",
      parent: ".",
      delegatedTo: ["lame.example.org", "nowhere.example.com", "ns1.example.org", "ns2.example.org"],
      unresolvable: [{ name: "nowhere.example.com", why: "does not exist" }],
      servers: [
        { server: { name: "lame.example.org", address: "127.0.1.5" }, state: "lame", cause: "refused" },
        {
          server: { name: "ns1.example.org", address: "127.0.1.2" },
          state: "ok",
          serial: 7,
          negativeTtlSeconds: 60,
          nameServers: ["ns1.example.org", "ns2.example.org", "ns4.example.org"],
        },
        { server: { name: "ns2.example.org", address: "127.0.1.3" }, state: "unknown", cause: "timeout" },
        { server: { name: "ns4.example.org", address: "127.0.1.4" }, state: "ok", serial: 6 },
      ],
    });
    const answers = await view.askEveryServer(name("_dmarc.example.org"), "TXT");
    expect(answers.map(({ server, answer }) => [server.name, answer.status])).toEqual([
      ["lame.example.org", "unknown"],
      ["ns1.example.org", "found"],
      ["ns2.example.org", "unknown"],
      ["ns4.example.org", "absent"],
    ]);
  });

  it("asks the servers once for many names of one zone", async () => {
    const { view, servers } = await world({
      "127.0.1.1": { zones: [root({ ...delegated, "example.org": [ns("ns1.example.org")] })] },
      "127.0.1.2": { zones: [exampleOrg(1, { "example.org": [ns("ns1.example.org")] })] },
    });
    await Promise.all(
      ["example.org", "mail.example.org", "deep.under.example.org"].map((each) => zoneOf(view, each)),
    );
    const once = servers["127.0.1.2"]!.queryCount;
    await zoneOf(view, "mail.example.org");
    expect(servers["127.0.1.2"]!.queryCount).toBe(once);
    // SOA for each of three names, SOA and NS of the server itself; its address came as glue
    expect(once).toBe(5);
  });

  const places: [string, string, object][] = [
    ["mail.example.org", "a name inside", { status: "found", zone: { apex: "example.org" } }],
    [
      "sub.example.org",
      "a zone on the servers of its parent",
      {
        status: "found",
        zone: { apex: "sub.example.org", parent: "example.org", delegatedTo: ["ns1.example.org"] },
      },
    ],
    ["alias.example.org", "an alias to another zone", { status: "found", zone: { apex: "example.org" } }],
    ["under.example.org", "an empty non-terminal", { status: "found", zone: { apex: "example.org" } }],
    ["no.such.example.org", "a name that does not exist", { status: "absent", closest: "example.org" }],
    ["nothing.test", "a top-level domain that does not exist", { status: "absent", closest: "." }],
    [".", "the root", { status: "found", zone: { apex: ".", delegatedTo: ["root.test"] } }],
  ];
  it.each(places)("finds the zone of %s: %s", async (owner, _, expected) => {
    const { view } = await world({
      "127.0.1.1": { zones: [root(delegated)] },
      "127.0.1.2": {
        zones: [
          exampleOrg(1, {
            "sub.example.org": [ns("ns1.example.org")],
            "alias.example.org": [cname("www.sub.example.org")],
          }),
          zone("sub.example.org", 1, {
            "sub.example.org": [ns("ns1.example.org")],
            "www.sub.example.org": [a("192.0.2.1")],
          }),
        ],
      },
      "127.0.1.3": dead,
    });
    expect(await view.findZone(name(owner))).toMatchObject(expected);
  });

  it("reports the servers of a delegated name even where none is of use", async () => {
    const { view } = await world({
      "127.0.1.1": { zones: [root(delegated)] },
      "127.0.1.2": {},
      "127.0.1.3": dead,
    });
    expect((await zoneOf(view, "example.org")).servers).toMatchObject([
      { state: "lame", cause: "refused" },
      { state: "unknown", cause: "timeout" },
    ]);
  });

  it("follows an alias out of a server's zones by walking on", async () => {
    const { view } = await world({
      "127.0.1.1": { zones: [root({ ...delegated, "there.test": [txt("yes")] })] },
      "127.0.1.2": { zones: [exampleOrg(1, { "_dmarc.example.org": [cname("there.test")] })] },
      "127.0.1.3": { zones: [exampleOrg(1)] },
    });
    const answers = await view.askEveryServer(name("_dmarc.example.org"), "TXT");
    expect(answers).toMatchObject([
      { answer: { status: "found", aliases: ["_dmarc.example.org"], canonicalName: "there.test" } },
      { answer: { status: "absent" } },
    ]);
  });
});

function withoutAuthority(): Place {
  return { zones: [exampleOrg(1)], laboratory: { alter: (reply) => ({ ...reply, authoritative: false }) } };
}

/** The right id, and then nothing a resolver could read. */
function garbage(id: number): Uint8Array {
  return Uint8Array.from([id >> 8, id & 0xff, 0x84, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xc0, 0x0c]);
}

describe("views that remember together", () => {
  it.each<readonly [why: string, since: (now: number) => Since, own: string, others: string]>([
    ["what was ever seen counts", () => EVER, "old", "old"],
    ["nothing that was seen before counts", (now) => () => now, "new", "new"],
    ["one domain is seen anew", (now) => (owner) => (owner.endsWith("example.org") ? now : 0), "new", "old"],
  ])("%s", async (_, since, own, others) => {
    const place = (text: string, serial: number) => [
      exampleOrg(serial, { "text.example.org": [txt(text)] }),
      zone("example.net", serial, { "example.net": [ns("ns1.example.org"), txt(text)] }),
    ];
    const both = { ...delegated, "example.net": [ns("ns1.example.org")] };
    const { view, viewSince, servers, now } = await world({
      "127.0.1.1": { zones: [root(both)] },
      "127.0.1.2": { zones: place("old", 1) },
      "127.0.1.3": { zones: place("old", 1) },
    });
    const look = async (from: AuthoritativeView) => {
      const told = [];
      for (const owner of ["text.example.org", "example.net"]) {
        const answer = await from.lookup(name(owner), "TXT");
        told.push(answer.status === "found" ? answer.records[0]!.data.strings[0] : answer.status);
      }
      const { servers: states } = await zoneOf(from, "example.org");
      return [...told, states[0]!.serial];
    };
    expect(await look(view)).toEqual(["old", "old", 1]);
    for (const at of ["127.0.1.2", "127.0.1.3"]) servers[at]!.replaceZones(place("new", 2));
    now.milliseconds += 1000;
    expect(await look(viewSince(since(now.milliseconds)))).toEqual([own, others, own === "new" ? 2 : 1]);
    // What one has seen anew, all know.
    expect(await look(view)).toEqual([own, others, own === "new" ? 2 : 1]);
  });

  it("a domain that has moved is found at its new servers, though the old ones still answer", async () => {
    const { view, viewSince, servers, now } = await world({
      "127.0.1.1": { zones: [root(delegated)] },
      "127.0.1.2": { zones: [exampleOrg(1, { "text.example.org": [txt("old")] })] },
      "127.0.1.3": { zones: [exampleOrg(1, { "text.example.org": [txt("old")] })] },
      "127.0.1.4": { zones: [exampleOrg(1, { "text.example.org": [txt("new")] })] },
    });
    const text = async (from: AuthoritativeView) =>
      (await from.askEveryServer(name("text.example.org"), "TXT")).map(({ answer }) =>
        answer.status === "found" ? answer.records[0]!.data.strings[0] : answer.status,
      );
    await view.lookup(name("example.org"), "TXT");
    const moved = { "example.org": [ns("ns9.example.org")], "ns9.example.org": [a("127.0.1.4")] };
    servers["127.0.1.1"]!.replaceZones([root(moved)]);
    now.milliseconds += 1000;
    expect(await text(view)).not.toContain("new");
    now.milliseconds += 1000;
    expect(await text(viewSince(() => now.milliseconds))).toContain("new");
  });
});
