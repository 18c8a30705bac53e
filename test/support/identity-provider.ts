/** A real identity provider on loopback, over TLS, at another site than localhost: whoever logs in is who they say. */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { issueCertificate } from "./certificates.ts";

export interface IdentityProviderHandle {
  readonly issuer: string;
  /** PEM; whoever asks it has to trust this. */
  readonly authority: string;
  readonly clientSecret: string;
  close(): Promise<void>;
}

export async function startIdentityProvider(redirectUri: string): Promise<IdentityProviderHandle> {
  const authority = issueCertificate({ subject: "Identity laboratory", isAuthority: true });
  const own = issueCertificate({ subject: "127.0.0.1", names: ["127.0.0.1"], issuer: authority });
  const server = createServer({ cert: own.certificate, key: own.key });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clientSecret = "a secret of the laboratory";
  const client = {
    client_id: "zonepost",
    client_secret: clientSecret,
    redirect_uris: [redirectUri],
    response_types: ["code"],
    grant_types: ["authorization_code"],
  };
  server.on(
    "request",
    new Provider(issuer, { clients: [client], pkce: { required: () => true } }).callback(),
  );
  return {
    issuer,
    authority: authority.certificate,
    clientSecret,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
