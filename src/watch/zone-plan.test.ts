import { expect, it } from "vitest";
import { testKey } from "../../test/support/dkim-keys.ts";
import { described } from "../../test/support/golden.ts";
import { memoryKeyStore } from "../../test/support/memory-key-store.ts";
import { memoryProvider } from "../../test/support/memory-provider.ts";
import { tableWorld } from "../../test/support/table-world.ts";
import { inState } from "../keys/key.ts";
import { derive } from "../records/derive.ts";
import { domainName } from "../standards/dns/name.ts";
import { planZone, zonesOf } from "./zone-plan.ts";

const description = described(`
servers: [{ host: mail.example.org, addresses: [192.0.2.25] }]
domains:
  - { domain: example.org, delegation: { zone: dns.example.net } }
publish: [{ provider: zone-file, file: unused, zones: [example.org, dns.example.net] }]
`);
const SOA = (zone: string) =>
  `${zone}. 300 SOA ns.${zone}. h.${zone}. 1 3600 600 86400 60\n${zone}. 300 NS ns.${zone}.`;

async function guardsOf(zone: string, keyName: string, state: "signing" | "retiring" | "removed") {
  const text = "v=DKIM1; p=";
  const keys = memoryKeyStore();
  await keys.put(inState(testKey("s.2026", "2026-11-01T00:00:00Z"), state, new Date()));
  const plan = await planZone({
    zone: domainName(zone),
    zones: zonesOf(description),
    provider: memoryProvider(`${SOA(zone)}\n${keyName}. 300 TXT "${text}"`),
    store: { ownedIn: async () => [{ name: domainName(keyName), type: "TXT", value: `TXT ${text}` }] },
    world: tableWorld({ zone: SOA(zone) }),
    derived: derive(description),
    keys,
  });
  if ("status" in plan) throw new Error(plan.detail);
  return plan.guards.map(({ id }) => id);
}

it.each([
  ["example.org", "s.2026._domainkey.example.org", "signing", true, "it signs"],
  ["example.org", "s.2026._domainkey.example.org", "retiring", true, "mail that it has signed is under way"],
  ["example.org", "s.2026._domainkey.example.org", "removed", false, "nobody needs it"],
  ["example.org", "other._domainkey.example.org", "signing", false, "it is another key's"],
  ["example.org", "s.2026._domainkey.sub.example.org", "signing", false, "it is another domain's"],
  [
    "dns.example.net",
    "s.2026._domainkey.example.org.dns.example.net",
    "signing",
    true,
    "an alias leads there",
  ],
  ["dns.example.net", "s.2026._domainkey.example.com.dns.example.net", "signing", false, "another's alias"],
] as const)(
  "in %s, %s of a key that is %s is guarded: %s (%s)",
  async (zone, name, state, isGuarded, _why) => {
    expect((await guardsOf(zone, name, state)).includes("signing-key")).toBe(isGuarded);
  },
);
