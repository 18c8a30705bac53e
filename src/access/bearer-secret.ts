/** Secrets that open a door by being shown: of sessions, API tokens and one-time links. Kept are their hashes alone. */
import { createHash } from "node:crypto";
import type { RandomOctets } from "./password.ts";

/** 256 bits: nothing to guess, and so no need for a slow hash. */
const OCTETS = 32;

/** What the secret is for stands in front of it, so that scanners of leaked secrets know it. */
export type SecretKind = "session" | "token" | "setup";

const PREFIX: Readonly<Record<SecretKind, string>> = { session: "zps_", token: "zpt_", setup: "zpl_" };

export const newBearerSecret = (kind: SecretKind, random: RandomOctets): string =>
  PREFIX[kind] + Buffer.from(random(OCTETS)).toString("base64url");

/** Undefined for what cannot be one: then no store needs to be asked. */
export function bearerHash(kind: SecretKind, secret: string): string | undefined {
  const isOne = secret.startsWith(PREFIX[kind]) && /^[\w-]{43}$/.test(secret.slice(PREFIX[kind].length));
  return isOne ? createHash("sha256").update(secret).digest("hex") : undefined;
}
