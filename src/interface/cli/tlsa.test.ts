/** `zonepost tlsa next` over a whole key change: the zone in memory, the clock moved by the waits. */
import { describe, expect, it } from "vitest";
import { issueCertificate } from "../../../test/support/certificates.ts";
import { zonepost } from "../../../test/support/cli.ts";
import { memoryAccessStore } from "../../../test/support/memory-access-store.ts";
import { memoryProvider, memoryStore } from "../../../test/support/memory-provider.ts";
import { memoryProviderStore } from "../../../test/support/memory-provider-store.ts";
import { memorySealStore } from "../../../test/support/memory-seal-store.ts";
import { memorySightings } from "../../../test/support/memory-sightings.ts";
import { NO_KEYS } from "../../../test/support/publish-laboratory.ts";
import { certificate, tableProber, tlsSession } from "../../../test/support/table-prober.ts";
import { type ServerRow, tableWorld } from "../../../test/support/table-world.ts";
import type { ServiceProbe } from "../../check/probe.ts";
import { formatTlsa, tlsaFromCertificate } from "../../standards/dane/tlsa.ts";
import { formatRdata } from "../../standards/dns/rdata-text.ts";

const OLD = issueCertificate({ subject: "mail.example.org" });
const NEW = issueCertificate({ subject: "mail.example.org" });
const textOf = (pem: string) => {
  const tlsa = tlsaFromCertificate(pem);
  return tlsa.ok ? formatTlsa(tlsa.value) : tlsa.problem;
};
const OLD_TLSA = textOf(OLD.certificate);
const NEW_TLSA = textOf(NEW.certificate);
const OWNER = "_25._tcp.mail.example.org.";

const ZONE = `example.org. SOA ns1.example.net. hostmaster.example.org. 1 7200 900 1209600 300
example.org. NS ns1.example.net.
example.org. NS ns2.example.net.
mail.example.org. A 192.0.2.25
${OWNER} 1800 TLSA ${OLD_TLSA}`;
const GLUE = "ns1.example.net. A 192.0.2.53\nns2.example.net. A 192.0.2.54";

const CONFIG = `servers:
  - host: mail.example.org
    addresses: [192.0.2.25]
domains:
  - domain: example.org
    dmarc: { policy: quarantine }
    clientSetup: false
publish:
  - provider: zone-file
    file: unused
`;

interface Setup {
  readonly config?: string;
  readonly servers?: Readonly<Record<string, ServerRow>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly zone?: string;
  readonly unresolvable?: Readonly<Record<string, string>>;
}

function laboratory({ config = CONFIG, servers, files, zone = ZONE, unresolvable }: Setup = {}) {
  const provider = memoryProvider(zone);
  const sightings = memorySightings();
  const state = { live: OLD as { der: Uint8Array } | undefined, seconds: 0, slept: [] as number[] };
  const probe = (): ServiceProbe => {
    if (state.live === undefined) return { status: "timeout", detail: "no answer" };
    const tls = tlsSession("mail.example.org");
    return {
      status: "answered",
      greeting: { code: 220, text: "mail.example.org ESMTP" },
      capabilities: ["STARTTLS"],
      tls: { ...tls, chain: [certificate("mail.example.org", { der: state.live.der })] },
    };
  };
  const lines = () =>
    [...provider.rrsets.values()].flatMap((rrset) =>
      rrset.data.map((data) => `${rrset.name}. ${rrset.ttlSeconds} ${rrset.type} ${formatRdata(data)}`),
    );
  const world = () =>
    tableWorld({
      zone: [...lines(), GLUE].join("\n"),
      ...(servers && { servers }),
      ...(unresolvable && { unresolvable }),
    });
  const tlsa = () =>
    lines()
      .filter((line) => line.includes(" TLSA "))
      .map((line) => line.split(" TLSA ")[1]);
  const run = (...words: string[]) =>
    zonepost(
      [
        "tlsa",
        "next",
        "--host",
        "mail.example.org",
        "--key",
        "next.key",
        "--assume-public",
        "192.0.2.0/24",
        ...words,
      ],
      {
        environment: { HOME: "/home/me" },
        files: { "next.key": NEW.key, "old.pem": OLD.certificate, "zonepost.yaml": config, ...files },
        tools: {
          now: () => new Date(Date.parse("2026-11-21T12:00:00Z") + 1000 * state.seconds),
          sleep: async (milliseconds) => {
            state.seconds += milliseconds / 1000;
            state.slept.push(milliseconds / 1000);
          },
          openState: async () => ({
            keys: NO_KEYS,
            publish: memoryStore(),
            tlsaSightings: sightings,
            access: memoryAccessStore(),
            seal: memorySealStore(),
            providers: memoryProviderStore(),
            backup: async () => undefined,
            close: async () => undefined,
          }),
          openProvider: async () => provider,
          openWorld: async ({ probes }) => {
            const { authoritative } = world();
            return {
              world: {
                ...world(),
                authoritative: {
                  ...authoritative,
                  askEveryServer: (name, type) => world().authoritative.askEveryServer(name, type),
                },
                ...(probes && { prober: tableProber({ "smtp 192.0.2.25": probe() }) }),
              },
              queriesSent: () => 0,
              backup: async () => undefined,
              close: async () => undefined,
            };
          },
        },
      },
    );
  return { provider, run, state, tlsa };
}

describe("zonepost tlsa next", () => {
  it("says what to publish, and not to deploy", async () => {
    const { run, provider } = laboratory();
    const { exitCode, out } = await run();
    expect({ exitCode, applies: provider.applies }).toEqual({ exitCode: 1, applies: 0 });
    expect(out).toContain("publish the next record; do not deploy");
    expect(out).toContain(`+ ${OWNER} IN TLSA ${NEW_TLSA}  (next)`);
    expect(out).toContain(`  ${OWNER} IN TLSA ${OLD_TLSA}  (current)`);
    expect(out).toContain("ns2.example.net: lacks it");
    expect(out).toContain("192.0.2.25:25: shows another key");
  });

  it("is a hook: publishes, waits two TTLs, lets the certificate come, and takes the old record away", async () => {
    const { run, state, tlsa } = laboratory();
    const waited = await run("--wait", "--publish");
    expect(waited).toMatchObject({ exitCode: 0, out: expect.stringContaining("written into the zone") });
    expect(waited.out).toContain("the certificate with the next key may be deployed");
    expect(tlsa()).toEqual([OLD_TLSA, NEW_TLSA]);
    expect(state.seconds).toBeGreaterThanOrEqual(3600);
    expect(state.seconds).toBeLessThan(3800);
    expect(Math.max(...state.slept)).toBe(600);

    state.live = NEW;
    expect(await run("--publish")).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining("deployed; wait"),
    });
    expect(tlsa()).toEqual([OLD_TLSA, NEW_TLSA]);
    state.seconds += 1800;
    expect(await run("--publish")).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining("take the old"),
    });
    expect(tlsa()).toEqual([NEW_TLSA]);
    expect(await run("--publish")).toMatchObject({ exitCode: 0, out: expect.stringContaining("  done\n") });
  });

  it("goes on where another run has stopped", async () => {
    const { run, state } = laboratory();
    await run("--publish");
    expect(await run()).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining("until 2026-11-21 13:00:00"),
    });
    state.seconds += 3599;
    expect(await run()).toMatchObject({ exitCode: 1 });
    state.seconds += 1;
    expect(await run()).toMatchObject({ exitCode: 0 });
  });

  it("gives up waiting after --timeout", async () => {
    const { run, state } = laboratory();
    expect(await run("--wait", "--timeout", "10m")).toMatchObject({ exitCode: 1 });
    expect(state.seconds).toBeLessThanOrEqual(600);
  });

  it("has trouble with a certificate that came too early", async () => {
    const { run, state, tlsa } = laboratory();
    state.live = NEW;
    expect(await run("--wait")).toMatchObject({
      exitCode: 2,
      out: expect.stringContaining("publish it now"),
    });
    expect(await run("--publish")).toMatchObject({ exitCode: 2 });
    expect(tlsa()).toEqual([OLD_TLSA, NEW_TLSA]);
  });

  it.each<[string, Readonly<Record<string, ServerRow>>, readonly string[], number, string]>([
    ["one name server is silent", { "ns2.example.net": { state: "unknown" } }, [], 1, "not all name servers"],
    [
      "all are",
      { "ns1.example.net": { state: "unknown" }, "ns2.example.net": { state: "unknown" } },
      [],
      3,
      "nobody could be asked",
    ],
    ["one lags behind", { "ns2.example.net": { zone: ZONE } }, [], 1, "ns2.example.net lacks it"],
    ["DNS alone is asked", {}, ["--dns-only", "--current", "old.pem"], 1, "caches may still hold"],
  ])("waits where %s", async (_, servers, words, exitCode, said) => {
    const { run, provider } = laboratory({ servers });
    const key = [...provider.rrsets.keys()].find((name) => name.endsWith(" TLSA"))!;
    const before = provider.rrsets.get(key)!;
    const tlsa = tlsaFromCertificate(NEW.certificate);
    if (tlsa.ok) provider.rrsets.set(key, { ...before, data: [...before.data, tlsa.value] });
    expect(await run(...words)).toMatchObject({ exitCode, out: expect.stringContaining(said) });
  });

  it("waits while a name server has no address that can be found", async () => {
    const { run, state } = laboratory({ unresolvable: { "ns3.example.net": "no address" } });
    await run("--publish");
    state.seconds += 36_000;
    expect(await run()).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining("ns3.example.net: no answer"),
    });
  });

  it("changes the records where they stand, at the end of an alias", async () => {
    const zone = ZONE.replace(OWNER, `${OWNER} CNAME tlsa.example.org.\ntlsa.example.org.`);
    const { run, tlsa } = laboratory({ zone });
    const { exitCode, out } = await run("--publish");
    expect({ exitCode, out }).toEqual({
      exitCode: 1,
      out: expect.stringContaining("+ tlsa.example.org. IN TLSA"),
    });
    expect(tlsa()).toEqual([OLD_TLSA, NEW_TLSA]);
  });

  it("tells as JSON what people read", async () => {
    const { run } = laboratory();
    const { out } = await run("--json", "--publish");
    expect(JSON.parse(out)).toMatchObject({
      action: "publish-next",
      mayDeploy: false,
      until: null,
      records: [OLD_TLSA, NEW_TLSA],
      missing: [NEW_TLSA],
      obsolete: [],
      next: NEW_TLSA,
      current: OLD_TLSA,
      nameServers: [{ server: "ns1.example.net", records: [OLD_TLSA], ttlSeconds: 1800 }, {}],
      live: [{ at: "192.0.2.25:25", key: OLD_TLSA }],
      written: { status: "changed" },
    });
  });

  it("cannot tell while the provider gives no answer", async () => {
    const { run, provider } = laboratory();
    provider.isDown = true;
    expect(await run("--publish")).toMatchObject({
      exitCode: 3,
      out: expect.stringContaining("not written: unreachable"),
    });
    provider.isDown = false;
    provider.faults.push("ignore");
    expect(await run("--publish")).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining("the zone does not show it"),
    });
  });

  it.each<[string, Setup, readonly string[], string]>([
    [
      "no key in the file",
      { files: { "next.key": "hello" } },
      [],
      "--key next.key: the text holds no PEM key",
    ],
    ["no such file", {}, ["--current", "missing.pem"], "cannot read missing.pem"],
    [
      "nobody holds the zone",
      { config: CONFIG.replace(/publish:[\s\S]*/, "") },
      ["--publish"],
      "who holds the zone",
    ],
  ])("%s: usage", async (_, setup, words, said) => {
    const { exitCode, err } = await laboratory(setup).run(...words);
    expect({ exitCode, err }).toEqual({ exitCode: 64, err: expect.stringContaining(said) });
  });
});
