/** Passkeys (WebAuthn): offered, kept, shown. What is signed is verified behind an interface. */
import { createHash } from "node:crypto";
import type { AccessStore, Passkey, User } from "./access-store.ts";
import { takeOnce } from "./attempt.ts";
import type { RandomOctets } from "./password.ts";
import type { SecretBox } from "./secret-box.ts";

/** What a browser hands over, as it is; the verifier reads it. */
export type BrowserAnswer = Readonly<Record<string, unknown>>;

export interface PasskeyVerifier {
  /** Undefined where the answer does not prove what it should. */
  registration(
    answer: BrowserAnswer,
    challenge: string,
  ): Promise<Pick<Passkey, "credentialId" | "publicKey" | "counter" | "transports"> | undefined>;
  /** The new counter. */
  login(answer: BrowserAnswer, challenge: string, passkey: Passkey): Promise<number | undefined>;
}

const CHALLENGE_OCTETS = 32;
const CHALLENGE_SECONDS = 300;
export const MAX_PASSKEYS = 20;
/** In base64url, of the 1023 octets that WebAuthn grants to a credential id. */
export const MAX_CREDENTIAL_ID = 1364;

export interface PasskeyTools {
  readonly store: AccessStore;
  readonly verifier: PasskeyVerifier;
  readonly box: SecretBox;
  readonly random: RandomOctets;
  readonly now: () => Date;
}

/** `kept` goes with the browser and comes back with its answer: nothing is stored until then. */
export function offerChallenge(
  purpose: string,
  { box, random, now }: Pick<PasskeyTools, "box" | "random" | "now">,
): { readonly challenge: string; readonly kept: string } {
  const challenge = Buffer.from(random(CHALLENGE_OCTETS)).toString("base64url");
  const until = now().getTime() + CHALLENGE_SECONDS * 1000;
  return { challenge, kept: box.seal(Buffer.from(`${until} ${challenge}`), `challenge\0${purpose}`) };
}

/** Undefined where it was not offered here for this, is too old, or was shown before. */
async function takeChallenge(
  kept: string,
  purpose: string,
  { box, now, store }: PasskeyTools,
): Promise<string | undefined> {
  const opened = box.open(kept, `challenge\0${purpose}`);
  const [until = "0", challenge] = opened === undefined ? [] : Buffer.from(opened).toString().split(" ");
  const end = new Date(Number(until));
  if (challenge === undefined || now() >= end) return undefined;
  const hash = createHash("sha256").update(challenge).digest("hex");
  return (await takeOnce(store, `challenge:${hash}`, now(), end)) ? challenge : undefined;
}

export const REGISTRATION = (userId: string): string => `passkey\0${userId}`;
export const LOGIN = "passkey login";

export async function registerPasskey(
  user: User,
  given: { readonly kept: string; readonly answer: BrowserAnswer; readonly label: string },
  tools: PasskeyTools,
): Promise<Passkey | undefined> {
  const { store, verifier, now } = tools;
  const challenge = await takeChallenge(given.kept, REGISTRATION(user.id), tools);
  const proven = challenge === undefined ? undefined : await verifier.registration(given.answer, challenge);
  if (proven === undefined || proven.credentialId.length > MAX_CREDENTIAL_ID) return undefined;
  // A credential that is known already must not come into another's hands.
  if ((await store.passkey(proven.credentialId)) !== undefined) return undefined;
  const at = now();
  const passkey = { ...proven, userId: user.id, label: given.label, createdAt: at, lastUsedAt: undefined };
  return (await store.addPasskey(passkey, user)) === "added" ? passkey : undefined;
}

/** Who showed it; undefined for every reason why not. */
export async function showPasskey(
  given: { readonly kept: string; readonly answer: BrowserAnswer },
  tools: PasskeyTools,
): Promise<User | undefined> {
  const { store, verifier, now } = tools;
  const challenge = await takeChallenge(given.kept, LOGIN, tools);
  const { id } = given.answer;
  const passkey =
    typeof id === "string" && id.length <= MAX_CREDENTIAL_ID ? await store.passkey(id) : undefined;
  if (challenge === undefined || passkey === undefined) return undefined;
  // Read before the passkey is used: it goes when they are thrown out, and who they were then begins no session.
  const user = await store.user({ id: passkey.userId });
  if (user === undefined || user.disabledAt !== undefined) return undefined;
  const counter = await verifier.login(given.answer, challenge, passkey);
  if (counter === undefined) return undefined;
  return (await store.touchPasskey({ ...passkey, counter, lastUsedAt: now() })) ? user : undefined;
}
