/** Passwords, kept as argon2id (RFC 9106) in the PHC string format, salted and slow on purpose. */
import { type Argon2Parameters, argon2, timingSafeEqual } from "node:crypto";
import type { Parsed } from "../standards/dns/parsed.ts";

export type RandomOctets = (count: number) => Uint8Array;

interface Cost {
  readonly memoryKibibytes: number;
  readonly passes: number;
}

/** Some tenth of a second on one core: hardly felt by who logs in, and dear for who tries a dictionary. */
const COST: Cost = { memoryKibibytes: 32_768, passes: 3 };
const MAX_COST: Cost = { memoryKibibytes: 262_144, passes: 16 };
/** Each takes a thread of the pool, which files and names need as well, and its memory. */
const AT_ONCE = 2;
/** Some three seconds of waiting for the last of them. */
const MAX_WAITING = 64;
const SALT_OCTETS = 16;
const HASH_OCTETS = 32;

/** NIST SP 800-63B §3.1.1.2: length is what counts; rules of composition are not asked for. */
export const MIN_PASSWORD_CHARACTERS = 12;
const MAX_PASSWORD_CHARACTERS = 256;

/** What people try first, and what this product would suggest to anyone. */
const COMMON =
  /^(.)\1*$|^(?:password|passwort|qwerty|letmein|welcome|zonepost|administrator)[\d!?.]*$|^0?123456/i;

/** The password in the form in which it is hashed (NFC), or what is wrong with it; never a piece of it. */
export function readPassword(text: string, userName: string): Parsed<string> {
  const password = text.normalize("NFC");
  const length = [...password].length;
  if (length < MIN_PASSWORD_CHARACTERS)
    return { ok: false, problem: `a password needs at least ${MIN_PASSWORD_CHARACTERS} characters` };
  if (length > MAX_PASSWORD_CHARACTERS)
    return { ok: false, problem: `a password has at most ${MAX_PASSWORD_CHARACTERS} characters` };
  if (COMMON.test(password) || password.toLowerCase().replace(userName.toLowerCase(), "").length < 6)
    return { ok: false, problem: "this password is among the first that would be tried" };
  return { ok: true, value: password };
}

export async function hashPassword(password: string, random: RandomOctets): Promise<string> {
  const salt = Buffer.from(random(SALT_OCTETS));
  const hash = await derive(password, salt, COST);
  return `$argon2id$v=19$m=${COST.memoryKibibytes},t=${COST.passes},p=1$${base64(salt)}$${base64(hash)}`;
}

/** `outdated`: right, and kept at another cost than today's; it should be hashed anew. */
export async function verifyPassword(
  password: string,
  kept: string,
): Promise<"right" | "outdated" | "wrong"> {
  const read = readPhc(kept);
  if (read === undefined || password.length > 4 * MAX_PASSWORD_CHARACTERS) return "wrong";
  const hash = await derive(password.normalize("NFC"), read.salt, read.cost);
  if (hash.length !== read.hash.length || !timingSafeEqual(hash, read.hash)) return "wrong";
  const { memoryKibibytes, passes } = read.cost;
  return memoryKibibytes === COST.memoryKibibytes && passes === COST.passes ? "right" : "outdated";
}

/** Takes as long as for somebody who is there, so that nobody learns who is. */
export async function verifyNobody(password: string): Promise<"wrong"> {
  await derive(password.slice(0, 4 * MAX_PASSWORD_CHARACTERS), Buffer.alloc(SALT_OCTETS), COST);
  return "wrong";
}

/** More passwords have come at the same moment than can be looked at. */
export class TooManyPasswords extends Error {
  constructor() {
    super("too many passwords have come at the same moment");
  }
}

let underWay = 0;
const waiting: (() => void)[] = [];

async function derive(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  if (underWay >= AT_ONCE) {
    if (waiting.length >= MAX_WAITING) throw new TooManyPasswords();
    // Who ends hands over its place.
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else underWay++;
  try {
    return await deriveNow(password, salt, cost);
  } finally {
    const next = waiting.shift();
    if (next === undefined) underWay--;
    else next();
  }
}

function deriveNow(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  const parameters: Argon2Parameters = {
    message: Buffer.from(password, "utf8"),
    nonce: salt,
    parallelism: 1,
    tagLength: HASH_OCTETS,
    memory: cost.memoryKibibytes,
    passes: cost.passes,
  };
  return new Promise((resolve, reject) => {
    argon2("argon2id", parameters, (error, hash) => (error ? reject(error) : resolve(hash)));
  });
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=1\$([A-Za-z0-9+/]{22,})\$([A-Za-z0-9+/]{43})$/;

function readPhc(text: string) {
  const [, memory = "", passes = "", salt = "", hash = ""] = PHC.exec(text) ?? [];
  const cost: Cost = { memoryKibibytes: Number(memory), passes: Number(passes) };
  const isSane =
    cost.memoryKibibytes >= 8 &&
    cost.memoryKibibytes <= MAX_COST.memoryKibibytes &&
    cost.passes >= 1 &&
    cost.passes <= MAX_COST.passes;
  return isSane ? { cost, salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") } : undefined;
}

/** PHC strings have no padding. */
const base64 = (octets: Buffer): string => octets.toString("base64").replace(/=+$/, "");

/** Neither 0 and o nor 1 and l: it may be read aloud. 32 of them, so that each octet gives one without a bias. */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
const GROUPS = 5;
const GROUP_LETTERS = 4;

/** For somebody else to come in with: 100 bits of chance, "k7fm-q2xw-…". */
export function temporaryPassword(random: RandomOctets): string {
  const letters = [...random(GROUPS * GROUP_LETTERS)]
    .map((octet) => LETTERS[octet % LETTERS.length])
    .join("");
  return Array.from({ length: GROUPS }, (_, at) =>
    letters.slice(at * GROUP_LETTERS, (at + 1) * GROUP_LETTERS),
  ).join("-");
}
