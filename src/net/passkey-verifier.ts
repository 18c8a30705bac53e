/** Passkeys verified (WebAuthn): signatures, origin, and that the person was there. */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import type { PasskeyVerifier } from "../access/passkey.ts";

const MAX_TRANSPORTS = 10;

/** Larger than all the rest of the server: loaded with the first passkey. */
const library = () => import("@simplewebauthn/server");

/** `origin` is what browsers show; passkeys are bound to its host. */
export function createPasskeyVerifier(origin: string): PasskeyVerifier {
  const expected = { expectedOrigin: origin, expectedRPID: new URL(origin).hostname };
  return {
    async registration(answer, expectedChallenge) {
      const { verifyRegistrationResponse } = await library();
      try {
        const { verified, registrationInfo } = await verifyRegistrationResponse({
          response: answer as unknown as RegistrationResponseJSON,
          expectedChallenge,
          requireUserVerification: true,
          ...expected,
        });
        if (!verified) return undefined;
        const { id, publicKey, counter, transports = [] } = registrationInfo.credential;
        return {
          credentialId: id,
          publicKey: Buffer.from(publicKey).toString("base64url"),
          counter,
          transports: transports.slice(0, MAX_TRANSPORTS),
        };
      } catch {
        // The library throws for every answer that does not fit: it proves nothing.
        return undefined;
      }
    },
    async login(answer, expectedChallenge, { credentialId, publicKey, counter }) {
      const { verifyAuthenticationResponse } = await library();
      try {
        const { verified, authenticationInfo } = await verifyAuthenticationResponse({
          response: answer as unknown as AuthenticationResponseJSON,
          expectedChallenge,
          requireUserVerification: true,
          credential: {
            id: credentialId,
            publicKey: Uint8Array.from(Buffer.from(publicKey, "base64url")),
            counter,
          },
          ...expected,
        });
        return verified ? authenticationInfo.newCounter : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
