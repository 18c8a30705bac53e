/**
 * One run of an apply on a real zone file and a real store, in a process of its own that kills itself at its n-th
 * chance: before or after any read, write or note. Words: directory, address, n (absent: to the end).
 */
import { join } from "node:path";
import { openHolders } from "../../src/main/holders.ts";
import { createZoneFileAccess } from "../../src/net/zone-file-access.ts";
import { type ApplyTools, applyPlan, recover } from "../../src/publish/apply.ts";
import { planChanges, wantedIn } from "../../src/publish/plan.ts";
import type { Provider } from "../../src/publish/provider.ts";
import { createZoneFileProvider } from "../../src/publish/providers/zone-file.ts";
import { derive } from "../../src/records/derive.ts";
import { parseDescription } from "../../src/records/description.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { openStore } from "../../src/store/open.ts";

const [directory = "", address = "", killAt] = process.argv.slice(2);
const zone = domainName("example.org");

let chances = 0;
const chance = () => {
  chances += 1;
  if (String(chances) === killAt) process.kill(process.pid, "SIGKILL");
};
/** A chance before and after every call. */
function mortal<T extends object>(thing: T): T {
  return new Proxy(thing, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return async (...words: unknown[]) => {
        chance();
        const result: unknown = await value.apply(target, words);
        chance();
        return result;
      };
    },
  });
}

const parsed = parseDescription(`
servers: [{ host: mail.example.org, addresses: [${address}] }]
domains: [{ domain: example.org, dmarc: { policy: quarantine }, clientSetup: false }]
`);
if (!parsed.ok) throw new Error(parsed.problems[0]?.problem);
const opened = await openStore({ kind: "sqlite", path: join(directory, "zonepost.db") });
const store = mortal(opened.publish);
const provider: Provider = mortal(
  createZoneFileProvider({
    file: mortal(createZoneFileAccess({ path: join(directory, "zone") })),
    zone,
    mode: "whole",
    now: Date.now,
  }),
);
const tools: ApplyTools = {
  provider,
  store,
  see: async () => [],
  sleep: async () => undefined,
  now: () => new Date(),
  holders: openHolders(),
  newId: () => `${Date.now()}-${process.pid}`,
  onProgress: () => undefined,
};
const recovery = await recover(zone, tools);
if (recovery.status === "failed") throw new Error(recovery.failure.detail);
if (recovery.status === "busy") throw new Error("who was killed holds the zone still");
const outcome = await provider.readZone(zone);
if (outcome.status !== "read") throw new Error(outcome.detail);
const plan = planChanges({
  content: outcome.content,
  wanted: wantedIn(zone, derive(parsed.description).records, []),
  owned: await store.ownedIn(zone),
  capabilities: provider.capabilities,
  negativeTtlSeconds: 0,
});
const result = await applyPlan(plan, { allow: [], noWait: true, lookSeconds: 0 }, tools);
const owned = await store.ownedIn(zone);
process.stdout.write(
  JSON.stringify({ status: result.status, chances, owned: owned.map(({ value }) => value).sort() }),
);
await opened.close();
