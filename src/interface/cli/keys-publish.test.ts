/** A rotation that runs by itself: the provider is a zone in memory, the store is real, the clock moves on. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { zonepost } from "../../../test/support/cli.ts";
import { fixedKey, testKey } from "../../../test/support/dkim-keys.ts";
import { type PublishLaboratory, publishLaboratory } from "../../../test/support/publish-laboratory.ts";
import { keyOwner, keyRecordText } from "../../keys/key-record-shapes.ts";
import { toCharacterStrings } from "../../standards/dns/record.ts";
import { openStore } from "../../store/open.ts";
import { recordAfter } from "../../watch/key-publish.ts";

const ZONE = `example.org. SOA ns1.example.net. hostmaster.example.org. 1 7200 900 1209600 300
example.org. NS ns1.example.net.
example.org. TXT "some-site-verification=123"`;
const ABOVE = "ns1.example.net. A 192.0.2.53";
const CONFIG = `servers: [{ host: mail.example.org, addresses: [192.0.2.25] }]
domains: [{ domain: example.org }]
publish: [{ provider: zone-file, file: unused }]
`;

let folder: string;
let files: Record<string, string>;
let hours: number;
let laboratory: PublishLaboratory;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zonepost-rotation-"));
  files = { "zonepost.yaml": CONFIG };
  hours = 0;
  laboratory = publishLaboratory(ZONE, ABOVE);
});
afterEach(() => rmSync(folder, { recursive: true }));

async function keys(...words: string[]) {
  const run = await zonepost(["keys", ...words], {
    files,
    tools: {
      ...laboratory.tools,
      isAdministrator: true,
      now: () => new Date(Date.parse("2026-11-21T12:00:00Z") + hours * 3_600_000),
      openState: () => openStore({ kind: "sqlite", path: join(folder, "zonepost.db") }),
    },
  });
  files = { ...run.files };
  return run;
}

const published = (selector: string): string | undefined => {
  const [data] = laboratory.provider.rrsets.get(`${selector}._domainkey.example.org TXT`)?.data ?? [];
  return data?.type === "TXT" ? data.strings.join("") : undefined;
};
async function states(): Promise<Record<string, string>> {
  const all = JSON.parse((await keys("list", "--json")).out) as { dkimSelector: string; state: string }[];
  return Object.fromEntries(all.map(({ dkimSelector, state }) => [dkimSelector, state]));
}

it("publishes, waits, signs, takes over, revokes and removes, and touches nothing else", async () => {
  await keys("generate", "example.org", "--selector", "a");
  expect(published("a")).toBeUndefined();
  const first = await keys("rotate", "--publish");
  expect(first.err).toBe("");
  expect(published("a")).toMatch(/^v=DKIM1; .*p=MII/);
  expect(await states()).toEqual({ a: "published" });
  hours += 4;
  await keys("rotate", "--publish");
  expect(await states()).toEqual({ a: "signing" });

  hours += 24 * 90;
  await keys("rotate", "--publish", "--begin", "--selector", "b");
  expect(published("b")).toMatch(/p=MII/);
  expect(await states()).toEqual({ a: "signing", b: "published" });
  hours += 4;
  await keys("rotate", "--publish");
  expect(await states()).toEqual({ a: "retiring", b: "signing" });
  expect(published("a")).toMatch(/p=MII/);

  hours += 24 * 8;
  await keys("rotate", "--publish");
  expect(published("a")).toBe("v=DKIM1; p=");
  hours += 24 * 31;
  await keys("rotate", "--publish");
  expect(published("a")).toBeUndefined();
  expect(published("b")).toMatch(/p=MII/);
  expect(laboratory.provider.rrsets.get("example.org TXT")?.data).toHaveLength(1);
  expect((await states())["b"]).toBe("signing");
});

it("leaves alone what somebody else has put at the name", async () => {
  laboratory = publishLaboratory(
    `${ZONE}\na._domainkey.example.org. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="`,
    ABOVE,
  );
  await keys("generate", "example.org", "--selector", "a");
  const { out, exitCode } = await keys("rotate", "--publish");
  expect({ out, exitCode }).toEqual({
    out: expect.stringMatching(/trouble|publish a/),
    exitCode: expect.any(Number),
  });
  expect(exitCode).not.toBe(0);
  expect(published("a")).toContain("11qYAYKx");
});

it("goes on the next time where the provider was down", async () => {
  await keys("generate", "example.org", "--selector", "a");
  laboratory.provider.isDown = true;
  expect((await keys("rotate", "--publish")).err).toContain("not published: no answer");
  laboratory.provider.isDown = false;
  await keys("rotate", "--publish");
  expect(published("a")).toMatch(/p=MII/);
});

it("publishes behind the alias, where the description delegates keys", async () => {
  files["zonepost.yaml"] = CONFIG.replace(
    "[{ domain: example.org }]",
    "[{ domain: example.org, delegation: { zone: dns.example.net, selectors: [a] } }]",
  ).replace("file: unused", "file: unused, zones: [dns.example.net]");
  await keys("generate", "example.org", "--selector", "a");
  await keys("rotate", "--publish");
  expect([...laboratory.provider.rrsets.keys()]).toContain("a._domainkey.example.org.dns.example.net TXT");
});

it("keeps `publish plan` from taking away a key that signs", async () => {
  await keys("generate", "example.org", "--selector", "a");
  await keys("rotate", "--publish");
  const plan = await zonepost(["publish", "plan", "--json"], {
    files,
    tools: {
      ...laboratory.tools,
      isAdministrator: true,
      openState: () => openStore({ kind: "sqlite", path: join(folder, "zonepost.db") }),
    },
  });
  const { values } = JSON.parse(plan.out) as { values: { name: string; action: string }[] };
  expect(
    values.filter(({ name }) => name === "a._domainkey.example.org").map(({ action }) => action),
  ).toEqual(["keep"]);
});

it("puts nothing beside an alias", async () => {
  const text = "a._domainkey.example.org. CNAME a.pool.example.net.";
  laboratory = publishLaboratory(`${ZONE}\n${text}`, ABOVE);
  await keys("generate", "example.org", "--selector", "a");
  const run = await keys("rotate", "--publish");
  expect(run.err).toMatch(/holds something else \("an alias to a\.pool\.example\.net"\)/);
  expect(published("a")).toBeUndefined();
});

const { key } = fixedKey("rsa", "default");
const OURS = keyRecordText(key);
const OTHER = keyRecordText(testKey("x", "2026-11-21T00:00:00Z"));
const REVOKED = "v=DKIM1; p=";

it.each<
  [
    action: "publish" | "revoke" | "remove",
    stands: readonly string[],
    becomes: string | undefined,
    reason: string,
  ]
>([
  ["publish", [], OURS, "nothing is there"],
  ["publish", [OURS], "there", "done already"],
  ["publish", [OTHER], "in-the-way", "another key"],
  ["publish", [REVOKED], "in-the-way", "somebody revoked it"],
  ["publish", ["v=spf1 -all"], "in-the-way", "something else"],
  ["publish", [OURS, OTHER], "in-the-way", "several: which one is right is for a person to say"],
  ["revoke", [OURS], REVOKED, "ours"],
  ["revoke", [REVOKED], "there", "done already"],
  ["revoke", [], "there", "gone is as good"],
  ["revoke", [OTHER], "in-the-way", "another key"],
  ["remove", [REVOKED], undefined, "its days are over"],
  ["remove", [], "there", "gone already"],
  ["remove", [OURS], "in-the-way", "somebody uses it again"],
  ["remove", [OTHER], "in-the-way", "another key"],
])("%s where %j stands: %s (%s)", (action, stands, becomes) => {
  const data = stands.map((text) => ({ type: "TXT" as const, strings: toCharacterStrings(text) }));
  const name = keyOwner(key);
  const before = data.length === 0 ? undefined : { name, type: "TXT" as const, ttlSeconds: 777, data };
  const after = recordAfter(action, key, before);
  expect(typeof after === "object" ? after.strings.join("") : after).toBe(becomes);
});
