/** `zonepost check` as a process, against real BIND, Postfix, Dovecot and nginx: all is well, or one thing is not. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DomainReport, Finding } from "../../src/check/finding.ts";
import { derive } from "../../src/records/derive.ts";
import { parseDescription } from "../../src/records/description.ts";
import { zoneLine } from "../../src/records/zone-listing.ts";
import { type DomainName, domainName, isWithin } from "../../src/standards/dns/name.ts";
import { startBind } from "../support/bind.ts";
import type { ZoneText } from "../support/dns-program.ts";
import { startDovecot } from "../support/dovecot.ts";
import { type SignedZone, Stoppables, signZone } from "../support/laboratory.ts";
import {
  ALL_ADDRESSES,
  describeWorlds,
  domainOf,
  dovecotSetup,
  HOSTER_LINES,
  hostOf,
  MAIL_SERVERS,
  MAIL_WORLDS,
  type MailWorld,
  makeCertificates,
  NAME_SERVERS,
  postfixListeners,
  ROOT_SERVER,
  SILENT_NETWORK,
  webSites,
} from "../support/mail-worlds.ts";
import { makeNamespace } from "../support/network-namespace.ts";
import { startNginx } from "../support/nginx.ts";
import { startPostfix } from "../support/postfix.ts";
import { describeWithServers } from "../support/real-server.ts";
import { edited } from "../support/table-world.ts";

const PROGRAMS = [
  "ip",
  "named",
  "dnssec-signzone",
  "postfix",
  "dovecot",
  "imap-login",
  "managesieve-login",
  "nginx",
];

/** With absolute names, as `edited` and `derive` have them. */
function zone(apex: string, servers: readonly string[], lines: readonly string[]): ZoneText {
  const name = apex === "." ? "." : `${apex}.`;
  const head = [
    "$TTL 3600",
    `${name} SOA ns1.names.example. hostmaster.names.example. 1 3600 600 1209600 300`,
    ...servers.map((server) => `${name} NS ${server}`),
  ];
  return { apex: domainName(apex), text: `${[...head, ...lines].join("\n")}\n` };
}

describeWithServers(
  PROGRAMS,
  "worlds of real servers",
  () => {
    const running = new Stoppables();
    const reports = new Map<string, DomainReport>();

    beforeAll(async () => {
      const certificates = makeCertificates();
      const description = describeWorlds(certificates);
      const parsed = parseDescription(description);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      const derived = derive(parsed.description);
      const policyAt = (domain: string) =>
        derived.files.find((file) => file.domain === domain)?.content ?? "";

      const namespace = makeNamespace({ addresses: ALL_ADDRESSES, silentNetworks: [SILENT_NETWORK] });
      running.add({ stop: () => namespace.remove() });
      const inside = { namespace: namespace.name };
      const linesWithin = (apex: DomainName) =>
        derived.records.flatMap(({ record }) => (isWithin(record.name, apex) ? [zoneLine(record)] : []));
      const { zones, parents } = makeZones(linesWithin);
      const folder = mkdtempSync(join(tmpdir(), "zonepost-worlds-"));
      running.add({ stop: () => rmSync(folder, { recursive: true, force: true }) });
      const isLame = ({ apex }: ZoneText) =>
        MAIL_WORLDS.some((each) => each.second && domainOf(each) === apex);
      const dovecot = startDovecot({ ...inside, ...dovecotSetup(certificates) });
      const started = [
        startBind({ ...inside, address: ROOT_SERVER, port: 53, zones: parents }),
        startBind({ ...inside, address: NAME_SERVERS[0], port: 53, zones }),
        startBind({
          ...inside,
          address: NAME_SERVERS[1],
          port: 53,
          zones: zones.filter((each) => !isLame(each)),
        }),
        dovecot,
        dovecot.then(({ saslSocket }) =>
          startPostfix({
            ...inside,
            domains: MAIL_WORLDS.map(domainOf),
            saslSocket,
            listeners: postfixListeners(certificates),
          }),
        ),
        startNginx({ ...inside, sites: webSites(certificates, policyAt) }),
      ].map(async (starting) => running.add(await starting));
      await Promise.all(started);

      const file = (name: string, text: string) => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const words = [
        "src/main.ts",
        "check",
        "--json",
        ...["--from-file", "-"],
        ...["--config", file("zonepost.yaml", description)],
        ...["--root-hints", file("hints", `. NS ns.root.\nns.root. A ${ROOT_SERVER}\n`)],
        ...["--trust", file("authority.pem", certificates.authority.root.certificate)],
        ...["--block-list", "bl.hoster.example"],
        ...["--assume-public", "198.18.0.0/15", "--assume-public", "2001:db8::/32"],
      ];
      const domains = MAIL_WORLDS.map(domainOf).join("\n");
      const output = await namespace.run(
        "sh",
        ["-c", '"$0" "$@" || true', process.execPath, ...words],
        domains,
      );
      for (const line of output.split("\n").filter((text) => text.startsWith("{"))) {
        const report = JSON.parse(line) as DomainReport;
        reports.set(report.domain, report);
      }
    }, 120_000);
    afterAll(() => running.stopAll());

    const isRed = ({ severity }: Finding) => severity !== "ok" && severity !== "notice";
    const findingsOf = (world: MailWorld) => reports.get(domainOf(world))?.findings ?? [];
    const shown = (findings: readonly Finding[]) =>
      findings.map(({ code, observed }) => `${code}: ${observed}`);

    it.each(MAIL_WORLDS)("$name: $why: $red", (world) => {
      const findings = findingsOf(world);
      const red = findings.filter(isRed);
      const codes = [...new Set(red.map(({ code }) => code))].sort();
      expect(codes, shown(red).join("\n")).toEqual(world.red);
      expect(findings.length).toBeGreaterThan(15);
    });

    it("are sixty and more, each with a fault of its own", () => {
      expect(MAIL_WORLDS.filter(({ red }) => red.length > 0).length).toBeGreaterThanOrEqual(60);
    });

    it("the healthy one has seen every service", () => {
      const [healthy] = MAIL_WORLDS;
      const fine = findingsOf(healthy!).filter(({ severity }) => severity === "ok");
      const codes = [...new Set(fine.map(({ code }) => code))];
      expect(codes).toEqual(
        expect.arrayContaining([
          "smtp-ok",
          "service-ok",
          "tlsa-ok",
          "mta-sts-policy-ok",
          "settings-ok",
          "dnsbl-ok",
          "ptr-ok",
        ]),
      );
      const services = fine
        .filter(({ code }) => code === "service-ok")
        .map(({ observed }) => observed.split(" ")[0]);
      expect([...new Set(services)].sort()).toEqual([
        "imap",
        "imaps",
        "pop3s",
        "sieve",
        "submission",
        "submissions",
      ]);
    });
  },
  { asRoot: true },
);

function makeZones(linesWithin: (apex: DomainName) => readonly string[]): {
  readonly zones: readonly ZoneText[];
  readonly parents: readonly ZoneText[];
} {
  const servers = ["ns1.names.example.", "ns2.names.example."];
  const worlds = MAIL_WORLDS.map((world) => {
    const domain = domainOf(world);
    const here = (text: string) => text.replaceAll("%", domain);
    const lines = edited(linesWithin(domainName(domain)).join("\n"), {
      without: world.without.map(here),
      add: world.add.map(here),
    });
    const text = zone(domain, servers, lines.split("\n"));
    return world.signed ? signZone(text) : text;
  });
  const hoster = signZone(
    zone("hoster.example", servers, [...linesWithin(domainName("hoster.example")), ...HOSTER_LINES]),
  );
  const names = zone(
    "names.example",
    servers,
    NAME_SERVERS.map((address, at) => `ns${at + 1}.names.example. A ${address}`),
  );
  const reverse = ["18.198.in-addr.arpa", "19.198.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"].map((apex) =>
    zone(apex, servers, reverseLines(linesWithin(domainName(apex)))),
  );
  const zones = [...worlds, hoster, names];
  const dsOf = (each: ZoneText | SignedZone) => ("ds" in each ? [each.ds] : []);
  const cut = ({ apex }: ZoneText) => servers.map((server) => `${apex}. NS ${server}`);
  const glue = NAME_SERVERS.map((address, at) => `ns${at + 1}.names.example. A ${address}`);
  const example = signZone(
    zone("example", ["ns.root."], [...zones.flatMap(cut), ...zones.flatMap(dsOf), ...glue]),
  );
  const root = signZone(
    zone(
      ".",
      ["ns.root."],
      [`ns.root. A ${ROOT_SERVER}`, "example. NS ns.root.", example.ds, ...reverse.flatMap(cut), ...glue],
    ),
  );
  return { zones: [...zones, ...reverse], parents: [root, example] };
}

/** The PTR that a server is to have instead of the derived one. */
function reverseLines(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    const [name, server] =
      Object.entries(MAIL_SERVERS).find(([name]) => line.endsWith(` ${hostOf(name)}.`)) ?? [];
    if (name === undefined || server?.ptr === undefined) return [line];
    return server.ptr === null ? [] : [line.replace(` ${hostOf(name)}.`, ` ${server.ptr}.`)];
  });
}
