/** Keys for tests of what is done with them; the pairs are real and small, the seals are none. */
import { generateKeyPairSync } from "node:crypto";
import type { ExportedKey } from "../../src/keys/export.ts";
import { type DkimKey, newKey } from "../../src/keys/key.ts";
import type { SealedKey } from "../../src/keys/sealing.ts";
import { dkimPublicKeyOf } from "../../src/standards/dkim/public-key.ts";
import type { DkimSelector } from "../../src/standards/dkim/selector.ts";
import { domainName } from "../../src/standards/dns/name.ts";

export function testKey(selector: string, createdAt: string, domain = "example.org"): DkimKey {
  const publicKey = dkimPublicKeyOf(generateKeyPairSync("ed25519").publicKey);
  if (!publicKey.ok) throw new Error(publicKey.problem);
  const name = { signingDomain: domainName(domain), dkimSelector: selector as DkimSelector };
  return newKey(name, publicKey.value, `sealed ${selector}` as SealedKey, new Date(createdAt));
}

/** Pairs are made once a run: RSA takes its time. */
const PAIRS = {
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
  ed25519: generateKeyPairSync("ed25519").privateKey,
};

/** As `testKey`, with its private half. */
export function fixedKey(
  algorithm: keyof typeof PAIRS,
  selector: string,
  domain = "example.org",
): ExportedKey {
  const privateKey = PAIRS[algorithm];
  const publicKey = dkimPublicKeyOf(privateKey);
  if (!publicKey.ok) throw new Error(publicKey.problem);
  const key = testKey(selector, "2026-11-21T12:00:00Z", domain);
  return { key: { ...key, publicKey: publicKey.value }, privateKey };
}
