/** What the API's checks and changes leave for later looks. */
import { afterEach, expect, it } from "vitest";
import { testKey } from "../../../test/support/dkim-keys.ts";
import { type HttpWorld, httpWorld } from "../../../test/support/http-world.ts";
import { tableWorld } from "../../../test/support/table-world.ts";
import { inState } from "../../keys/key.ts";
import { keyRecordText } from "../../keys/key-record-shapes.ts";
import { domainName } from "../../standards/dns/name.ts";

import { checkWatched } from "./described.ts";

let world: HttpWorld;
afterEach(() => world.close());

const ANNA = domainName("anna.example");
const NOW = new Date("2026-11-21T12:00:00Z");
const HOUR = 3_600_000;

it("a check remembers what the next one is held against, and keys that are old are found", async () => {
  let networks = "ip4:198.51.100.0/24";
  const zone = () => `
anna.example. 3600 SOA ns.anna.example. hostmaster.anna.example. 1 7200 3600 1209600 3600
anna.example. 3600 NS ns.anna.example.
ns.anna.example. 3600 A 192.0.2.53
anna.example. 3600 TXT "v=spf1 include:_spf.sender.example -all"
sender.example. 3600 SOA ns.anna.example. hostmaster.anna.example. 1 7200 3600 1209600 3600
sender.example. 3600 NS ns.anna.example.
_spf.sender.example. 3600 TXT "v=spf1 ${networks} -all"
`;
  world = await httpWorld({ world: () => tableWorld({ zone: zone() }) });
  const old = testKey("old", "2024-01-01T00:00:00Z", ANNA);
  await world.parts.keys.put(inState(old, "signing", old.createdAt));
  const check = async (): Promise<readonly string[]> => {
    const owner = world.clients["owner"]!;
    expect((await world.ask(owner, "POST", "/api/domains/anna.example/check")).status).toBe(202);
    await world.settle();
    const { body } = await world.ask(owner, "GET", "/api/domains/anna.example/findings");
    const { findings } = body as { findings: { code: string; owner: string }[] };
    return findings
      .filter(({ code }) => code === "spf-include-grew" || code === "dkim-key-old")
      .map(({ code, owner: at }) => `${code} ${at}`)
      .sort();
  };
  const oldKey = "dkim-key-old old._domainkey.anna.example";
  expect(await check()).toEqual([oldKey]);
  networks += " ip4:203.0.113.0/24";
  for (const time of ["the first time", "the second time"])
    expect(await check(), time).toEqual([oldKey, "spf-include-grew anna.example"]);
  const kept = await world.parts.watch.findings(ANNA);
  expect(kept.find(({ key }) => key.startsWith("spf-include-grew"))).toMatchObject({ confirmed: true });
  networks = "ip4:198.51.100.0/24";
  expect(await check(), "it shows at once, and a second look says that it is so").toEqual([oldKey]);
  const missed = (await world.parts.watch.findings(ANNA)).filter((one) => one.missed);
  expect(missed.map(({ finding }) => finding.code)).toContain("spf-include-grew");
});

it("a signing key whose record goes is found, and so is what keeps this server from publishing the next", async () => {
  const signing = testKey("now", "2026-10-01T00:00:00Z", ANNA);
  const record = () => `now._domainkey.anna.example. 3600 TXT "${keyRecordText(signing)}"`;
  let isThere = true;
  const zone = () => `
anna.example. 3600 SOA ns.anna.example. hostmaster.anna.example. 1 7200 3600 1209600 3600
anna.example. 3600 NS ns.anna.example.
ns.anna.example. 3600 A 192.0.2.53
${isThere ? record() : ""}
`;
  const looked = () => ({ ...tableWorld({ zone: zone() }), now: NOW });
  world = await httpWorld({ world: looked, now: () => NOW, publishEntries: [] });
  const { keys, watch, checkOptions } = world.parts;
  const sighting = { everywhereSince: signing.createdAt, cachesClearAt: signing.createdAt };
  await keys.put({ ...inState(signing, "signing", signing.createdAt), sighting });
  await keys.setPublishes(ANNA, true);
  const step = () =>
    world.server.handlers["rotation-step"]({ domain: ANNA }, { id: "1", attempt: 1, isLast: false });
  const found = async (after = 0) => {
    const at = new Date(NOW.getTime() + after);
    const { findings } = await checkWatched(ANNA, world.parts, { ...looked(), now: at }, checkOptions);
    return findings.filter(({ code }) => /^dkim-(signing|rotation)/.test(code)).map(({ code }) => code);
  };
  await step();
  expect([await found(), (await watch.past(ANNA))?.publishTroubles]).toEqual([[], undefined]);
  isThere = false;
  expect(await found()).toEqual(["dkim-signing-key-lost"]);
  await step();
  expect(await found()).toEqual(["dkim-signing-key-lost"]);
  const detail = "this server cannot publish into the zone anna.example";
  // A check keeps it, and so does the same word once more.
  await step();
  const trouble = { action: "publish", dkimSelector: "now", detail, since: NOW.getTime() };
  expect((await watch.past(ANNA))?.publishTroubles).toEqual([trouble]);
  await keys.put(testKey("next", "2026-11-21T11:00:00Z", ANNA));
  expect(await found()).toEqual(["dkim-signing-key-lost"]);
  isThere = true;
  await step();
  expect(await found(HOUR)).toContain("dkim-rotation-waits");
});

it("who changes what all domains share has all of them looked at again", async () => {
  world = await httpWorld({ now: () => NOW });
  const { watch, descriptions } = world.parts;
  const names = ["anna.example", "bert.example", "admin.example"].map(domainName);
  for (const name of names) {
    await watch.forget(name);
    await watch.schedule(name, undefined, new Date(NOW.getTime() + 6 * HOUR));
  }
  const { content, revision } = await descriptions.common();
  const put = (changed: object, on: number) =>
    world.ask(world.clients["administrator"]!, "PUT", "/api/servers", { content: changed, revision: on });
  const latest = async () => {
    const states = await Promise.all(names.map((name) => watch.state(name)));
    return Math.max(...states.map((state) => state!.nextCheckAt.getTime() - NOW.getTime()));
  };
  expect((await put(content, revision + 5)).status).toBe(409);
  expect(await latest()).toBe(6 * HOUR);
  expect((await put(content, revision)).status).toBe(200);
  await expect.poll(latest).toBeLessThan(1000);
});
