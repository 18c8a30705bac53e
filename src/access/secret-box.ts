/** Small secrets that have to be read again (TOTP) or travel through a browser: sealed with AES-256-GCM. */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import type { RandomOctets } from "./password.ts";

export interface SecretBox {
  /** `boundTo` says whose and what for: what was sealed for one does not open for another. */
  seal(octets: Uint8Array, boundTo: string): string;
  /** Undefined for what was not sealed here, for this. */
  open(text: string, boundTo: string): Uint8Array | undefined;
}

/** NIST SP 800-38D §5.2.1.1: the nonce that GCM takes as it is. */
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
const MAX_CHARACTERS = 8192;
const PREFIX = "zpb1.";

/** `master` is the key that DKIM keys are sealed under; what is used here is derived from it and opens none of them. */
export function createSecretBox(master: KeyObject, random: RandomOctets): SecretBox {
  const key = createSecretKey(new Uint8Array(hkdfSync("sha256", master, "", "zonepost: access", 32)));
  return {
    seal(octets, boundTo) {
      const nonce = Buffer.from(random(NONCE_OCTETS));
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(boundTo));
      const sealed = Buffer.concat([nonce, cipher.update(octets), cipher.final(), cipher.getAuthTag()]);
      return PREFIX + sealed.toString("base64url");
    },
    open(text, boundTo) {
      if (text.length > MAX_CHARACTERS || !text.startsWith(PREFIX)) return undefined;
      const sealed = Buffer.from(text.slice(PREFIX.length), "base64url");
      if (sealed.length < NONCE_OCTETS + TAG_OCTETS) return undefined;
      const options = { authTagLength: TAG_OCTETS };
      const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_OCTETS), options)
        .setAAD(Buffer.from(boundTo))
        .setAuthTag(sealed.subarray(-TAG_OCTETS));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(NONCE_OCTETS, -TAG_OCTETS)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  };
}
