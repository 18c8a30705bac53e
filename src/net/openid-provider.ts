/** An identity provider asked over OpenID Connect: code flow with PKCE, state and nonce. */
import * as client from "openid-client";
import type { IdentityProvider } from "../access/identity-provider.ts";

export interface OpenidSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly title: string;
  /** Where the provider sends the browser back to. */
  readonly redirectUri: string;
  /** For laboratories: a provider on loopback speaks plain HTTP. */
  readonly allowInsecure?: boolean;
}

const TIMEOUT_SECONDS = 10;

export function createOpenidProvider(settings: OpenidSettings): IdentityProvider {
  const { issuer, clientId, clientSecret, title, redirectUri, allowInsecure } = settings;
  let discovered: Promise<client.Configuration> | undefined;
  const configuration = async (): Promise<client.Configuration> => {
    discovered ??= client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
      timeout: TIMEOUT_SECONDS,
      ...(allowInsecure && { execute: [client.allowInsecureRequests] }),
    });
    try {
      return await discovered;
    } catch (error) {
      // The next login asks again.
      discovered = undefined;
      throw error;
    }
  };
  return {
    title,
    async authorizationUrl({ state, nonce, codeVerifier }, again) {
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: "openid",
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: "S256",
        state,
        nonce,
        // The same in two words, since each is known to providers that do not know the other.
        ...(again && { max_age: "0", prompt: "login" }),
      });
      return url.href;
    },
    async identity(callbackUrl, { state, nonce, codeVerifier }) {
      try {
        const tokens = await client.authorizationCodeGrant(await configuration(), new URL(callbackUrl), {
          pkceCodeVerifier: codeVerifier,
          expectedState: state,
          expectedNonce: nonce,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) return undefined;
        const { iss, sub, auth_time: seconds } = claims;
        const provenAt = typeof seconds === "number" ? new Date(seconds * 1000) : undefined;
        return { subject: `${iss} ${sub}`, provenAt };
      } catch {
        // Whatever is wrong with an answer, nobody comes in by it.
        return undefined;
      }
    },
  };
}
