/** A state directory as `zonepost keys` leaves it, and the key records that belong into DNS. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateDkimKeyPair } from "../../src/keys/generate.ts";
import { type DkimKey, inState, type KeyState, newKey } from "../../src/keys/key.ts";
import { keyOwner, keyRecordText } from "../../src/keys/key-record-shapes.ts";
import { newMasterKeyText, readMasterKey, sealKey } from "../../src/keys/sealing.ts";
import { parseDkimSelector } from "../../src/standards/dkim/selector.ts";
import type { SigningKey } from "../../src/standards/dkim/sign.ts";
import { absolute, domainName } from "../../src/standards/dns/name.ts";
import { renderTxt } from "../../src/standards/dns/txt-rendering.ts";
import { openStore } from "../../src/store/open.ts";

export interface WantedKey {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: "rsa" | "ed25519";
  readonly state: KeyState;
}

export interface MilterState {
  readonly directory: string;
  /** Zone lines with whole names. */
  readonly records: readonly string[];
  /** As if zonepost keys rotate had come so far. */
  change(selector: string, state: KeyState): Promise<void>;
  get(selector: string): Promise<DkimKey>;
  /** Both halves, to sign with by hand. */
  pair(selector: string): SigningKey;
  close(): Promise<void>;
}

export async function makeMilterState(directory: string, wanted: readonly WantedKey[]): Promise<MilterState> {
  const store = await openStore({ kind: "sqlite", path: join(directory, "zonepost.db") });
  const text = newMasterKeyText(randomBytes);
  writeFileSync(join(directory, "seal.key"), text, { mode: 0o600 });
  const master = readMasterKey(Buffer.from(text));
  if (!master.ok) throw new Error(master.problem);
  const pairs = new Map<string, SigningKey>();
  const records: string[] = [];
  for (const { domain, selector, algorithm, state } of wanted) {
    const { publicKey, privateKey } = await generateDkimKeyPair(
      algorithm === "rsa" ? { algorithm, modulusBits: 2048 } : { algorithm },
    );
    const dkimSelector = parseDkimSelector(selector);
    if (!dkimSelector.ok) throw new Error(dkimSelector.problem);
    const name = { signingDomain: domainName(domain), dkimSelector: dkimSelector.value };
    const sealed = sealKey(privateKey, name, master.value, randomBytes);
    const made = new Date(Date.now() - 86_400_000);
    const key = inState(newKey(name, publicKey, sealed, made), state, made);
    if ((await store.keys.put(key)) !== "put") throw new Error(`two keys of the name ${selector}`);
    pairs.set(selector, { ...name, keyType: publicKey.keyType, privateKey });
    records.push(`${absolute(keyOwner(key))} TXT ${renderTxt(keyRecordText(key), "strings")}`);
  }
  const find = async (selector: string): Promise<DkimKey> => {
    const key = (await store.keys.list()).find(({ dkimSelector }) => dkimSelector === selector);
    if (key === undefined) throw new Error(`there is no key ${selector}`);
    return key;
  };
  return {
    directory,
    records,
    async change(selector, state) {
      const before = await find(selector);
      const outcome = await store.keys.change([{ before, after: inState(before, state, new Date()) }]);
      if (outcome !== "changed") throw new Error(`the key ${selector} is ${outcome}`);
    },
    get: find,
    pair: (selector) => pairs.get(selector)!,
    close: () => store.close(),
  };
}
