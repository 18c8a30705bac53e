/** One-time passwords by time (RFC 6238 with the defaults that authenticator apps know: SHA-1, 6 digits, 30 s). */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { RandomOctets } from "./password.ts";

const STEP_SECONDS = 30;
const DIGITS = 6;
/** RFC 4226 §4 R6 asks for 128 bits at least, and recommends 160. */
const SECRET_OCTETS = 20;
/** Clocks differ: one step before and one behind (RFC 6238 §5.2). */
const WINDOW = 1;

export const newTotpSecret = (random: RandomOctets): Uint8Array => random(SECRET_OCTETS);

/** What an app reads from a picture: otpauth://totp/… */
export function totpUri(secret: Uint8Array, userName: string, issuer: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(userName)}`;
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=${DIGITS}&period=${STEP_SECONDS}`;
}

/**
 * The time step that the code is right for; undefined for a wrong one, and for one of a step up to `lastStep`, since no
 * code counts twice.
 */
export function verifyTotp(
  secret: Uint8Array,
  code: string,
  now: Date,
  lastStep: number | undefined,
): number | undefined {
  const given = code.replace(/[\s-]/g, "");
  if (!/^\d{6}$/.test(given)) return undefined;
  const current = Math.floor(now.getTime() / 1_000 / STEP_SECONDS);
  let right: number | undefined;
  for (let step = current - WINDOW; step <= current + WINDOW; step += 1) {
    const isSame = timingSafeEqual(Buffer.from(totpCode(secret, step)), Buffer.from(given));
    if (isSame && step > (lastStep ?? -1)) right = step;
  }
  return right;
}

/** RFC 4226 §5.3. */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const offset = mac[mac.length - 1]! & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, "0");
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648 §6, without padding: what apps take when it is typed in. */
export function base32(octets: Uint8Array): string {
  let bits = "";
  for (const octet of octets) bits += octet.toString(2).padStart(8, "0");
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => ALPHABET[Number.parseInt(five.padEnd(5, "0"), 2)])
    .join("");
}
