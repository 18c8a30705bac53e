/** `zonepost check` as users run it, on real BIND, Knot and Unbound: a healthy domain, and each fault that servers can have. */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DomainReport, Finding } from "../../src/check/finding.ts";
import { startDnsServer } from "../../src/net/dns-server.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { parseZoneText } from "../../src/standards/dns/zone-text.ts";
import { startBind } from "../support/bind.ts";
import { freePort } from "../support/free-port.ts";

import { startKnot } from "../support/knot.ts";
import { Stoppables, signZone, tampered, zoneText } from "../support/laboratory.ts";
import { describeWithServers } from "../support/real-server.ts";
import { startUnbound } from "../support/unbound.ts";

const ROOT_SERVER = "127.0.4.1";
const PARENT_SERVER = "127.0.4.2";
const BIND = "127.0.0.1";
const KNOT = "127.0.4.4";
const RESOLVER = "127.0.4.6";
const LIAR = "127.0.4.7";
const DEAD = "127.0.4.99";

/** A domain as it should be, on both servers; `more` are the lines that a fault changes or adds. */
const mailZone = (apex: string, serial: number, more: readonly string[] = []) =>
  zoneText(apex, serial, [
    "@ NS ns1.servers.example.",
    "@ NS ns2.servers.example.",
    "@ MX 10 mail",
    "mail A 198.18.0.25",
    'mail TXT "v=spf1 a -all"',
    '@ TXT "v=spf1 mx ~all"',
    `_dmarc TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@${apex}"`,
    'k._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="',
    ...more,
  ]);

describeWithServers(
  ["named", "knotd", "unbound", "dnssec-signzone"],
  "zonepost check on real servers",
  () => {
    const world = new Stoppables();
    const folder = mkdtempSync(join(tmpdir(), "zonepost-check-"));
    let port: number;

    beforeAll(async () => {
      port = await freePort();
      const good = signZone(mailZone("good.example", 7));
      const bogus = tampered(signZone(mailZone("bogus.example", 1)), "v=spf1 mx ~all", "v=spf1 mx -all");
      const delegate = (zone: string, ...servers: string[]) =>
        servers.map((server) => `${zone} NS ${server}`);
      const parent = signZone(
        zoneText("example", 1, [
          "@ NS ns.parent",
          `ns.parent A ${PARENT_SERVER}`,
          ...["good", "bogus", "apart", "lame"].flatMap((zone) =>
            delegate(zone, "ns1.servers", "ns2.servers"),
          ),
          ...delegate("silent", "ns1.servers", "dead.servers"),
          ...delegate("dead", "dead.servers"),
          `ns1.servers A ${BIND}`,
          `ns2.servers A ${KNOT}`,
          `dead.servers A ${DEAD}`,
          good.ds,
          bogus.ds,
        ]),
      );
      const reverse = zoneText("18.198.in-addr.arpa", 1, [
        "@ NS ns.parent.example.",
        "25.0 PTR mail.good.example.",
      ]);
      const root = signZone(
        zoneText(".", 1, [
          "@ NS ns.root.",
          `ns.root. A ${ROOT_SERVER}`,
          "example NS ns.parent.example.",
          `ns.parent.example A ${PARENT_SERVER}`,
          "18.198.in-addr.arpa NS ns.parent.example.",
          parent.ds,
        ]),
      );
      const silent = zoneText("silent.example", 1, [
        "@ NS ns1.servers.example.",
        "@ NS dead.servers.example.",
        "@ MX 10 mail.good.example.",
      ]);
      const started = [
        startKnot({ address: ROOT_SERVER, port, zones: [root] }),
        startKnot({ address: PARENT_SERVER, port, zones: [parent, reverse] }),
        startBind({
          address: BIND,
          port,
          zones: [good, bogus, mailZone("apart.example", 5), mailZone("lame.example", 1), silent],
        }),
        startKnot({
          address: KNOT,
          port,
          zones: [good, bogus, mailZone("apart.example", 4, ["@ MX 5 old"])],
        }),
      ].map(async (starting) => world.add(await starting));
      await Promise.all(started);
      const at = (...addresses: string[]) => addresses.map((address) => ({ address, port }));
      const stubs: [string, string[]][] = [
        [".", [ROOT_SERVER]],
        ["example", [PARENT_SERVER]],
        ["good.example", [BIND, KNOT]],
        ["bogus.example", [BIND, KNOT]],
      ];
      world.add(
        await startUnbound({
          address: RESOLVER,
          port,
          zones: stubs.map(([apex, addresses]) => ({ apex: domainName(apex), servers: at(...addresses) })),
          trustAnchor: root.key.replaceAll('"', ""),
        }),
      );
      const lie = zoneText("good.example", 1, ["@ NS ns1.servers.example.", "@ MX 5 elsewhere.example.org."]);
      world.add(
        await startDnsServer({
          address: LIAR,
          port,
          zones: [{ apex: lie.apex, records: parseZoneText(lie.text, { origin: lie.apex }).records }],
        }),
      );
      writeFileSync(join(folder, "hints"), `. NS ns.root.\nns.root. A ${ROOT_SERVER}\n`);
    }, 120_000);

    afterAll(async () => {
      await world.stopAll();
      rmSync(folder, { recursive: true, force: true });
    });

    /** The process itself, as installed: what it prints, and how it ends. */
    async function check(
      domain: string,
      ...more: string[]
    ): Promise<{ report: DomainReport; exitCode: number }> {
      const laboratory = [
        "--root-hints",
        join(folder, "hints"),
        "--dns-port",
        String(port),
        "--assume-public",
        "198.18.0.0/15",
      ];
      const words = [
        "src/main.ts",
        "check",
        domain,
        "--json",
        "--dns-only",
        "--selector",
        "k",
        ...laboratory,
        ...more,
      ];
      const run = promisify(execFile)(process.execPath, words, { encoding: "utf8" });
      const { stdout, code } = await run.then(
        (done) => ({ ...done, code: 0 }),
        (failed: { stdout: string; code: number }) => failed,
      );
      return { report: JSON.parse(stdout) as DomainReport, exitCode: code };
    }

    const codes = ({ findings }: DomainReport, ...severities: Finding["severity"][]) =>
      [
        ...new Set(findings.filter(({ severity }) => severities.includes(severity)).map(({ code }) => code)),
      ].sort();

    it("finds nothing wrong with a healthy, signed domain", async () => {
      const { report, exitCode } = await check("good.example", "--resolver", `${RESOLVER}:${port}`);
      expect(report.findings.filter(({ severity }) => !["ok", "notice"].includes(severity))).toEqual([]);
      expect(codes(report, "ok")).toEqual(
        expect.arrayContaining(["dnssec-ok", "dmarc-ok", "mx-ok", "ptr-ok", "spf-ok", "zone-ok"]),
      );
      expect(report.findings.find(({ code }) => code === "dnssec-ok")?.observed).toContain(
        `${RESOLVER}:${port} validates it`,
      );
      expect(exitCode).toBe(0);
    });

    it.each([
      [
        "bogus.example",
        ["--resolver", RESOLVER],
        ["dnssec-bogus"],
        2,
        "the resolver refuses what was changed behind its signature",
      ],
      [
        "apart.example",
        [],
        ["servers-differ", "zone-serials-differ"],
        2,
        "one server has an older zone with another MX",
      ],
      ["lame.example", [], ["zone-lame-server"], 2, "one of the delegated servers does not know the zone"],
      ["silent.example", [], ["zone-server-silent"], 2, "one server is dead, the other answers"],
      ["good.example", ["--resolver", LIAR], ["resolver-differs"], 1, "a resolver that lies about the MX"],
    ])("%s %j: %j (exit %i): %s", async (domain, more, expected, exit, _why) => {
      const [option, address] = more;
      const { report, exitCode } = await check(domain, ...(option ? [option, `${address}:${port}`] : []));
      expect(codes(report, "error", "unknown", "warning")).toEqual(expect.arrayContaining(expected));
      expect(exitCode).toBe(exit);
    });

    it("says of a dead domain that it could not tell, and calls nothing missing", async () => {
      const { report, exitCode } = await check("dead.example");
      expect(codes(report, "error")).toEqual([]);
      expect(codes(report, "unknown").length).toBeGreaterThan(0);
      expect(
        report.findings.filter(({ code }) => /-missing$|-no-(key|address|record)|not-found/.test(code)),
      ).toEqual([]);
      expect(exitCode).toBe(3);
    });

    it("says of a domain that does not exist that it does not, and no more", async () => {
      const { report, exitCode } = await check("nosuch.example");
      expect(report.findings.map(({ code }) => code)).toEqual(["zone-not-found"]);
      expect(exitCode).toBe(2);
    });
  },
);
