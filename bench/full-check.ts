/**
 * One domain with all that there is: two mail servers with every service, policy, settings, DANE. Real Postfix,
 * Dovecot and nginx stand behind a line on which every round trip takes 40 ms.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { checkDomain } from "../src/check/check.ts";
import type { World } from "../src/check/context.ts";
import { startDnsServer } from "../src/net/dns-server.ts";
import { createDnsTransport } from "../src/net/dns-transport.ts";
import { createProber } from "../src/net/service-probe.ts";
import { createAuthoritativeView } from "../src/net/zone-survey.ts";
import { derive } from "../src/records/derive.ts";
import { parseDescription } from "../src/records/description.ts";
import { zoneLine } from "../src/records/zone-listing.ts";
import { parseNetwork } from "../src/standards/dns/address.ts";
import { domainName } from "../src/standards/dns/name.ts";
import { parseZoneText } from "../src/standards/dns/zone-text.ts";
import { createAuthority } from "../test/support/certificates.ts";
import { startDovecot } from "../test/support/dovecot.ts";
import { startNginx } from "../test/support/nginx.ts";
import { startPostfix } from "../test/support/postfix.ts";

const ROOT_SERVER = "127.0.9.21";
const DOMAIN_SERVER = "127.0.9.22";
/** What the world connects to, and the server behind it. */
const MAIL = ["127.0.9.1", "127.0.9.2"] as const;
const behind = (address: string) => address.replace(".9.", ".8.");
const MAIL_PORTS = [25, 465, 587, 143, 993, 110, 995, 4190, 443];
const LIMIT_MILLISECONDS = 2500;

export async function benchFullCheck(
  latencyMilliseconds: number,
  say: (line: string) => void,
): Promise<void> {
  const domain = domainName("d0.test");
  const hosts = ["mx1.d0.test", "mx2.d0.test"];
  const authority = createAuthority();
  const certificate = authority.issue({
    subject: "d0.test",
    names: [...hosts, "mta-sts.d0.test", "autoconfig.d0.test", "autodiscover.d0.test"],
  });
  const parsed = parseDescription(
    JSON.stringify({
      servers: hosts.map((host, at) => ({
        host,
        addresses: [MAIL[at]],
        services: ["smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "sieve"],
        tlsa: [{ certificate: certificate.certificate }],
      })),
      domains: [
        { domain, mtaSts: { mode: "enforce" }, tlsReports: `tls@${domain}`, dmarc: { policy: "reject" } },
      ],
    }),
  );
  if (!parsed.ok) throw new Error(parsed.problems[0]?.problem);
  const derived = derive(parsed.description);
  const policy = derived.files[0]?.content ?? "";
  const site = {
    port: 443,
    names: ["mta-sts.d0.test", "autoconfig.d0.test", "autodiscover.d0.test"],
    certificate,
    pages: {
      "/.well-known/mta-sts.txt": { body: policy, contentType: "text/plain" },
      "/mail/config-v1.1.xml": { body: "<clientConfig/>", contentType: "text/xml" },
      "/autodiscover/autodiscover.xml": { status: 401 },
    },
  } as const;
  const addresses = MAIL.map(behind);
  const stops: (() => unknown)[] = [];
  try {
    const dovecot = await startDovecot({
      addresses: addresses.map((address) => ({ address, certificate })),
      listeners: addresses.flatMap((address) =>
        (
          [
            ["imap", 143],
            ["imaps", 993],
            ["pop3", 110],
            ["pop3s", 995],
            ["sieve", 4190],
          ] as const
        ).map(([protocol, port]) => ({ protocol, address, port })),
      ),
    });
    stops.push(() => dovecot.stop());
    const postfix = await startPostfix({
      domains: [domain],
      saslSocket: dovecot.saslSocket,
      listeners: addresses.flatMap((address, at) => {
        const options = { myhostname: hosts[at]! };
        const login = { ...options, smtpd_sasl_auth_enable: "yes", smtpd_tls_auth_only: "yes" };
        return [
          { address, port: 25, certificate, options },
          { address, port: 587, certificate, options: login },
          { address, port: 465, certificate, isTlsFirst: true, options: login },
        ];
      }),
    });
    stops.push(() => postfix.stop());
    const nginx = await startNginx({ sites: addresses.map((address) => ({ ...site, address })) });
    stops.push(() => nginx.stop());
    for (const address of MAIL) {
      for (const port of MAIL_PORTS) {
        const line = await startLine(address, port, latencyMilliseconds);
        stops.push(() => line.close());
      }
    }
    const zones = zonesOf(domain, [
      ...derived.records.map(({ record }) => zoneLine(record)),
      "d0.test. A 127.0.9.1",
    ]);
    const laboratory = { delayMilliseconds: latencyMilliseconds };
    const root = await startDnsServer({ address: ROOT_SERVER, laboratory, zones: zones.above });
    stops.push(() => root.close());
    const own = await startDnsServer({
      address: DOMAIN_SERVER,
      port: root.port,
      laboratory,
      zones: zones.own,
    });
    stops.push(() => own.close());
    const transport = createDnsTransport();
    stops.push(() => transport.close());
    const world: World = {
      authoritative: createAuthoritativeView({
        rootHints: [{ name: domainName("ns.root"), addresses: [ROOT_SERVER] }],
        port: root.port,
        transport,
        now: Date.now,
        maxCacheEntries: 10_000,
      }),
      recursive: [],
      prober: createProber({ ca: [authority.root.certificate], heloName: "bench.test" }),
      now: new Date(),
      organizationalDomain: () => domain,
      randomLabel: () => "zonepost-0123456789ab",
    };
    const loopback = parseNetwork("127.0.0.0/8");
    if (!loopback.ok) throw new TypeError(loopback.problem);
    const start = performance.now();
    const { summary, findings } = await checkDomain(domain, world, {
      description: parsed.description,
      derived,
      dkimSelectors: [],
      assumePublic: [loopback.value],
    });
    const milliseconds = performance.now() - start;
    const probed = findings.filter(({ code }) =>
      /^(smtp|service|settings|mta-sts-policy)-ok$/.test(code),
    ).length;
    say(`one domain with two MX and all services, ${latencyMilliseconds} ms a round trip, servers included:`);
    say(
      `  ${milliseconds.toFixed(0)} ms (${(milliseconds / LIMIT_MILLISECONDS).toFixed(2)} of the ${LIMIT_MILLISECONDS} allowed), ${transport.sentCount} queries, ${probed} services seen to be well`,
    );
    // The zone is neither signed nor has it a key: what that costs is not measured here.
    say(`  ${summary.unknown} could not be told; ${summary.ok} checks are fine`);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function zonesOf(domain: string, lines: readonly string[]) {
  const zone = (apex: string, text: string) => ({
    apex: domainName(apex),
    records: parseZoneText(`$TTL 300\n${text}\n`, { origin: domainName(apex) }).records,
  });
  const soa = (apex: string, server: string) =>
    `${apex} SOA ${server} hostmaster.test. 1 3600 600 86400 60\n${apex} NS ${server}`;
  const inside = lines.filter((line) => !line.includes(".arpa."));
  const reverse = lines.filter((line) => line.includes(".in-addr.arpa."));
  const cut = (apex: string) => `${apex} NS ns.d0.test.\nns.d0.test. A ${DOMAIN_SERVER}`;
  return {
    above: [
      zone(
        ".",
        `${soa(".", "ns.root.")}\nns.root. A ${ROOT_SERVER}\ntest. NS ns.root.\n${cut("127.in-addr.arpa.")}`,
      ),
      zone("test", `${soa("test.", "ns.root.")}\n${cut("d0.test.")}`),
    ],
    own: [
      zone(domain, `${soa("d0.test.", "ns.d0.test.")}\nns.d0.test. A ${DOMAIN_SERVER}\n${inside.join("\n")}`),
      zone("127.in-addr.arpa", `${soa("127.in-addr.arpa.", "ns.d0.test.")}\n${reverse.join("\n")}`),
    ],
  };
}

/** A long line to a server: a round trip for the connection, half of one for whatever goes either way. */
function startLine(address: string, port: number, latencyMilliseconds: number): Promise<Server> {
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (client) => {
    const far = connect({ host: behind(address), port, noDelay: true });
    for (const socket of [client, far]) socket.on("error", () => socket.destroy());
    setTimeout(() => {
      delay(client, far, latencyMilliseconds / 2);
      delay(far, client, latencyMilliseconds / 2);
    }, latencyMilliseconds);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => resolve(server));
  });
}

function delay(from: Socket, to: Socket, milliseconds: number): void {
  from.on("data", (chunk) => setTimeout(() => to.destroyed || to.write(chunk), milliseconds));
  from.on("end", () => setTimeout(() => to.end(), milliseconds));
  from.on("close", () => setTimeout(() => to.destroy(), milliseconds));
  from.resume();
}
