/** A new key of a domain, sealed and kept. */
import type { DomainName } from "../standards/dns/name.ts";
import type { Parsed } from "../standards/dns/parsed.ts";
import { type KeyPairMaker, readKeyKind } from "./generate.ts";
import { type DkimKey, newKey } from "./key.ts";
import { keyOwner } from "./key-record-shapes.ts";
import type { KeyStore } from "./key-store.ts";
import { type MasterKey, type RandomOctets, sealKey } from "./sealing.ts";
import { selectorFromTemplate } from "./selector.ts";

export interface WantedKey {
  readonly selector: string;
  readonly algorithm: string;
  readonly bits?: number | undefined;
}

export interface KeyMaking {
  readonly store: KeyStore;
  /** Called once it is needed. */
  readonly sealKey: () => MasterKey | Promise<MasterKey>;
  readonly makeKeyPair: KeyPairMaker;
  readonly random: RandomOctets;
  readonly now: () => Date;
}

export interface KeyMade {
  readonly key: DkimKey;
  readonly warning: string | undefined;
}

export async function makeKey(
  signingDomain: DomainName,
  { selector, algorithm, bits }: WantedKey,
  { store, sealKey: master, makeKeyPair, random, now }: KeyMaking,
): Promise<Parsed<KeyMade>> {
  const kind = readKeyKind(algorithm, bits);
  if (!kind.ok) return kind;
  const taken = new Set((await store.list(signingDomain)).map(({ dkimSelector }) => dkimSelector));
  const at = now();
  const dkimSelector = selectorFromTemplate(selector, at, (each) => taken.has(each));
  if (!dkimSelector.ok) return { ok: false, problem: `the selector: ${dkimSelector.problem}` };
  const name = { signingDomain, dkimSelector: dkimSelector.value };
  const sealer = await master();
  const pair = await makeKeyPair(kind.value.kind);
  const key = newKey(name, pair.publicKey, sealKey(pair.privateKey, name, sealer, random), at);
  if ((await store.put(key)) === "taken") {
    const problem = `somebody else has just made ${keyOwner(key)}; nothing was changed, try again`;
    return { ok: false, problem };
  }
  return { ok: true, value: { key, warning: kind.value.warning } };
}
