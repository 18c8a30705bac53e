/**
 * Puts key after key into a store, and lets each take over from the one before; prints a line for whatever the store
 * has said is done. Words: the settings of the store in JSON, the domain. With a third word, it says what was refused,
 * and goes on reading.
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type DkimKey, inState } from "../../src/keys/key.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { openStore } from "../../src/store/open.ts";
import { testKey } from "./dkim-keys.ts";

const MAX_TRIES = 200;
const [settings = "", domain = "", isPatient] = process.argv.slice(2);
const store = await openStore(JSON.parse(settings));
const at = new Date("2026-11-22T00:00:00Z");
const say = (text: string) => writeSync(1, `${text}\n`);

const keys = await store.keys.list(domainName(domain));
let before: DkimKey | undefined = keys.findLast(({ state }) => state === "signing");
for (let count = keys.length; ; count++) {
  const made = testKey(`s${count}`, new Date(1.7e12 + count * 1000).toISOString(), domain);
  try {
    if ((await store.keys.put(made)) !== "put") throw new Error("taken");
    say(`put s${count}`);
    const signing = inState(made, "signing", at);
    const changes = [{ before: made, after: signing }];
    if (before) changes.push({ before, after: inState(before, "retiring", at) });
    if ((await store.keys.change(changes)) !== "changed") throw new Error("stale");
    say(`signing s${count}`);
    before = signing;
  } catch (error) {
    if (isPatient === undefined) throw error;
    say(`refused ${(error as Error & { kind?: string }).kind} ${(error as Error).message}`);
    say(`read ${await keysOf(domain)}`);
    break;
  }
}
await store.close();

/** A server that was killed is back in a moment. */
async function keysOf(name: string): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      return (await store.keys.list(domainName(name))).length;
    } catch (error) {
      if (tries === MAX_TRIES) throw error;
      await sleep(100);
    }
  }
}
