/** Passkeys made and shown: what the browser and the device do, and why they would not. */
import { answer, POST } from "./client.ts";
import { type PasskeyFailure, PasskeyProblem } from "./problem.ts";

/** WebAuthn §5.1.3 and §5.1.4: the names that browsers give. */
const FAILURES: Readonly<Record<string, PasskeyFailure>> = {
  NotAllowedError: "not-done",
  AbortError: "not-done",
  InvalidStateError: "known",
  SecurityError: "elsewhere",
};

function explain(error: unknown): never {
  const failure = error instanceof Error ? FAILURES[error.name] : undefined;
  throw failure === undefined ? error : new PasskeyProblem(failure);
}

/** Larger than the rest of the page that needs it. */
const library = () => import("@simplewebauthn/browser");

/** COSE: EdDSA, ES256, RS256. */
const ALGORITHMS = [-8, -7, -257];

/** A new one of the user who is logged in. */
export async function addPasskey(label: string, password: string | undefined): Promise<void> {
  const [{ startRegistration }, offer] = await Promise.all([
    library(),
    answer(POST("/api/account/passkeys/offer", { body: password === undefined ? {} : { password } })),
  ]);
  const { challenge, rpId, userId, userName, exclude, userVerification } = offer;
  const proof = await startRegistration({
    optionsJSON: {
      challenge,
      rp: { id: rpId, name: "Zonepost" },
      user: { id: userId, name: userName, displayName: userName },
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ alg, type: "public-key" })),
      excludeCredentials: exclude.map((id) => ({ id, type: "public-key" })),
      authenticatorSelection: { residentKey: "required", userVerification },
    },
  }).catch(explain);
  await answer(POST("/api/account/passkeys", { body: { label, answer: { ...proof } } }));
}

export async function logInWithPasskey() {
  const [{ startAuthentication }, offer] = await Promise.all([
    library(),
    answer(POST("/api/login/passkey/offer")),
  ]);
  const proof = await startAuthentication({ optionsJSON: offer }).catch(explain);
  return answer(POST("/api/login/passkey", { body: { answer: { ...proof } } }));
}
