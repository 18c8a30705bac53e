/**
 * Started by check.ts: Knot for the zones of many domains, until the parent lets go. A process of its own, so that
 * the texts of thousands of zones do not count as memory of what is measured.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { answers } from "../test/support/dns-program.ts";
import { startKnot } from "../test/support/knot.ts";
import { DOMAIN_SERVER, exampleDomains, ownZones, parentZones, ROOT_SERVER } from "./example-zones.ts";

const [count, port] = process.argv.slice(2).map(Number) as [number, number];
const domains = exampleDomains(count);
/** A hundred thousand zones take half a minute. */
const readyWithinMilliseconds = 300_000;
const servers = [
  await startKnot({ address: ROOT_SERVER, port, zones: parentZones(domains), readyWithinMilliseconds }),
  await startKnot({ address: DOMAIN_SERVER, port, zones: ownZones(domains), readyWithinMilliseconds }),
];
// It answers before all of them are read.
for (const domain of domains)
  for (const until = performance.now() + readyWithinMilliseconds; ; await sleep(100)) {
    if (await answers({ address: DOMAIN_SERVER, port }, domain)) break;
    if (performance.now() > until) throw new Error(`Knot does not serve ${domain}`);
  }
process.once("disconnect", async () => {
  for (const server of servers) await server.stop();
});
process.send?.("ready");
