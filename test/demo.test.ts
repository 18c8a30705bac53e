/** `zonepost serve --demo`, as a process: its states, its past, what publishing does to it, and what it never does. */
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEMO_ACCOUNTS, DEMO_PASSWORD } from "../src/demo/demo.ts";
import { DEMO_DOMAINS } from "../src/demo/domain.ts";
import { zonepost } from "./support/cli.ts";
import { jobDone, type LoggedIn, logIn, type Served, serve } from "./support/served.ts";

const LOOPBACK_ALONE = new URL("support/loopback-alone.ts", import.meta.url).href;

let demo: Served;
let admin: LoggedIn;
beforeAll(async () => {
  demo = await serve(["--demo"], {}, { nodeWords: ["--import", LOOPBACK_ALONE] });
  admin = await logIn(demo.url, "demo", DEMO_PASSWORD);
}, 120_000);
afterAll(() => demo?.stop());

interface State {
  readonly domain: string;
  readonly worst: string | null;
}
const states = async (client: LoggedIn): Promise<Map<string, string | null>> => {
  const { body } = await client.ask("GET", "/api/domains?limit=200");
  return new Map((body as { domains: State[] }).domains.map(({ domain, worst }) => [domain, worst]));
};
const codes = async (domain: string): Promise<string[]> => {
  const { body } = await admin.ask("GET", `/api/domains/${domain}/findings`);
  return (body as { findings: { code: string }[] }).findings.map(({ code }) => code);
};

it("says who may come in, and shows domains in every state", async () => {
  for (const { name } of DEMO_ACCOUNTS) expect(demo.out()).toContain(name);
  expect(demo.out()).toContain(DEMO_PASSWORD);
  // The silent one is known a moment later.
  const overview = async () => (await admin.ask("GET", "/api/overview")).body as { bySeverity: object };
  await expect.poll(async () => (await overview()).bySeverity).toHaveProperty("unknown");
  const { bySeverity } = await overview();
  expect(Object.keys(bySeverity).sort()).toEqual([
    "error",
    "notice",
    "ok",
    "unchecked",
    "unknown",
    "warning",
  ]);
});

it.each([
  ["cinema.example", "zone-doubled-name", "the domain stands twice in a name"],
  ["cinema.example", "spf-several-records", "two SPF records"],
  ["garage.example", "spf-pass-all", "+all"],
  ["example.net", "ptr-missing", "nobody has set the PTR"],
  ["example.net", "dkim-stored-quotes", "the quotes became part of the key"],
  ["harbour.example", "dmarc-policy-none", "watching for years"],
  ["harbour.example", "zone-wildcard", "a wildcard MX"],
  ["clinic.example", "mx-is-address", "an address as MX"],
  ["gallery.example", "zone-apex-cname", "a CNAME at the apex"],
  ["example.com", "mta-sts-policy-status", "a policy without its file"],
  ["example.com", "tlsa-mismatch", "a TLSA of another key"],
  ["example.com", "certificate-expired", "a certificate that has run out"],
  ["florist.example", "spf-missing", "half set up"],
  ["lighthouse.example", "zone-server-silent", "nobody answers"],
])("%s shows %s: %s", async (domain, code) => {
  await expect.poll(() => codes(domain)).toContain(code);
});

it("shows an owner what is theirs, and a reader everything", async () => {
  const own = DEMO_DOMAINS.filter(({ owner }) => owner === "olga").map(({ domain }) => domain);
  expect([...(await states(await logIn(demo.url, "olga", DEMO_PASSWORD))).keys()].sort()).toEqual(own.sort());
  const reader = await logIn(demo.url, "rita", DEMO_PASSWORD);
  expect((await states(reader)).size).toBe(DEMO_DOMAINS.length);
  expect((await reader.ask("POST", "/api/domains/florist.example/check")).status).toBe(403);
});

it("has a past: weeks of events that fit, applies, an audit log, keys on their way", async () => {
  const { body } = await admin.ask("GET", "/api/domains/example.org/history");
  const { events } = body as { events: { code: string; kind: string; at: string }[] };
  expect(events.map(({ kind, code }) => `${kind} ${code}`)).toEqual([
    "gone spf-several-records",
    "appeared spf-several-records",
    "gone ptr-missing",
    "appeared ptr-missing",
  ]);
  const weeks = (Date.now() - Date.parse(events.at(-1)!.at)) / (7 * 86_400_000);
  expect(weeks).toBeGreaterThan(5);
  const { entries } = (await admin.ask("GET", "/api/audit?limit=200")).body as { entries: unknown[] };
  expect(entries.length).toBeGreaterThan(20);
  const keys = async (domain: string) =>
    ((await admin.ask("GET", `/api/domains/${domain}/keys`)).body as { keys: { state: string }[] }).keys.map(
      ({ state }) => state,
    );
  expect(await keys("school.example")).toEqual(["signing", "published"]);
  expect(await keys("library.example")).toEqual(["retiring", "signing"]);
});

it("publishes what is missing into the zone that its name servers answer from, and takes it back", async () => {
  const path = "/api/domains/florist.example";
  const check = async () => {
    const { body } = await admin.ask("POST", `${path}/check`);
    await jobDone(admin, (body as { job: string }).job);
    return codes("florist.example");
  };
  const { body: planned } = await admin.ask("GET", `${path}/plan`);
  const { digest, plan } = planned as { digest: string; plan: { guards: { id: string }[] } };
  const allow = plan.guards.map(({ id }) => id);
  const applied = await admin.ask("POST", `${path}/apply`, { digest, allow });
  expect(applied.status).toBe(202);
  expect(await jobDone(admin, (applied.body as { job: string }).job)).toMatchObject({ status: "done" });
  const after = await check();
  expect(after).toContain("spf-ok");
  expect(after).not.toContain("dkim-missing");
  const { body: undo } = await admin.ask("GET", `${path}/undo`);
  const undone = await admin.ask("POST", `${path}/undo`, { digest: (undo as { digest: string }).digest });
  expect(await jobDone(admin, (undone.body as { job: string }).job)).toMatchObject({ status: "done" });
  expect(await check()).toContain("spf-missing");
}, 120_000);

it.each(["example.org", "library.example"])("%s is published as it is described", async (domain) => {
  const { body } = await admin.ask("GET", `/api/domains/${domain}/plan`);
  const { plan } = body as { plan: { steps: unknown[]; guards: unknown[] } };
  expect(plan).toMatchObject({ steps: [], guards: [] });
});

it("never leaves loopback", async () => {
  await sleep(100);
  expect(demo.err()).not.toContain("left loopback");
  const tries = [
    "import('node:dgram').then(({createSocket}) => createSocket('udp4').send('x', 53, '192.0.2.25'))",
    "import('node:net').then(({connect}) => connect(25, '192.0.2.25'))",
    "import('node:net').then(({connect}) => connect({ port: 25, host: 'example.org' }))",
  ];
  // Whoever does is heard.
  for (const code of tries) {
    const run = spawnSync(process.execPath, ["--import", LOOPBACK_ALONE, "-e", code], { encoding: "utf8" });
    expect(run.stderr).toContain("left loopback: ");
  }
});

it.each([
  [["serve", "--demo"], { ZONEPOST_LISTEN: "192.0.2.1:8025" }, "loopback alone"],
  [["serve", "--demo", "--settings", "x.yaml"], {}, "cannot be used with"],
  [["serve", "--demo", "--state", "x"], {}, "cannot be used with"],
] as const)("zonepost %j is refused", async (words, environment, words_) => {
  const run = await zonepost(words, {
    tools: { environment, startServer: async () => expect.unreachable() },
  });
  expect(run.exitCode).toBe(64);
  expect(run.err).toContain(words_);
});
