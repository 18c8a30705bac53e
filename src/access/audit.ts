/** Entries of the audit log, and ids for what is kept. */
import type { AuditEntry } from "./access-store.ts";
import type { RandomOctets } from "./password.ts";

/** 128 bits: nobody meets another's by guessing. */
export const newId = (random: RandomOctets): string => Buffer.from(random(16)).toString("base64url");

/** Unique, and in the order of time when sorted as text. */
export const timedId = (now: Date, random: RandomOctets): string =>
  `${now.toISOString()}-${Buffer.from(random(6)).toString("hex")}`;

export const auditEntry = (
  what: Omit<AuditEntry, "id" | "at">,
  now: Date,
  random: RandomOctets,
): AuditEntry => ({ id: timedId(now, random), at: now, ...what });
