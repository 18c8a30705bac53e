/**
 * Started by check.ts: Knot for the zones of many domains, until the parent lets go. A process of its own, so that
 * the texts of thousands of zones do not count as memory of what is measured.
 */
import { startKnot } from "../test/support/knot.ts";
import { DOMAIN_SERVER, exampleDomains, ownZones, parentZones, ROOT_SERVER } from "./example-zones.ts";

const [count, port] = process.argv.slice(2).map(Number) as [number, number];
const domains = exampleDomains(count);
const servers = [
  await startKnot({ address: ROOT_SERVER, port, zones: parentZones(domains) }),
  await startKnot({ address: DOMAIN_SERVER, port, zones: ownZones(domains) }),
];
process.once("disconnect", async () => {
  for (const server of servers) await server.stop();
});
process.send?.("ready");
