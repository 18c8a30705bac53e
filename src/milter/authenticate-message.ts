/** Authenticates a message that is there as a whole. */
import { BodyHasher } from "../standards/dkim/body-hash.ts";
import { DkimKeyRing } from "../standards/dkim/key-lookup.ts";
import { indexFields } from "../standards/dkim/signed-fields.ts";
import type { Resolver } from "../standards/dns/resolver.ts";
import type { HeaderField } from "../standards/message/header-field.ts";
import { MessageReader } from "../standards/message/message-reader.ts";
import { MailAuthenticator } from "./authenticate.ts";
import type { MailAuthentication, MailOrigin } from "./authentication.ts";

/** `message` has CRLF, as it came by SMTP. Rejects only where the resolver does. */
export async function authenticateMessage(
  origin: MailOrigin,
  message: Uint8Array,
  resolver: Resolver,
  now: Date,
): Promise<MailAuthentication> {
  const fields: HeaderField[] = [];
  const hasher = new BodyHasher();
  let authenticator: MailAuthenticator | undefined;
  const reader = new MessageReader({
    field: (field) => fields.push(field),
    endOfHeaders() {
      const means = { resolver, keys: new DkimKeyRing(), now };
      authenticator = new MailAuthenticator(indexFields(fields), hasher, origin, means);
    },
    body: (chunk) => hasher.update(chunk),
  });
  reader.write(message);
  reader.end();
  hasher.finish();
  // The reader tells of the end of the header at the latest by its own end.
  return (authenticator as MailAuthenticator | undefined)!.finish();
}
