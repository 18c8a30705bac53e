/** Other programs that sign and verify DKIM, each behind the same interface. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Canonicalization } from "../../src/standards/dkim/canonical.ts";
import { formatDkimKey, recordForKey } from "../../src/standards/dkim/key-record.ts";
import { dkimPublicKeyOf } from "../../src/standards/dkim/public-key.ts";
import type { DkimSelector } from "../../src/standards/dkim/selector.ts";
import type { SigningKey } from "../../src/standards/dkim/sign.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import type { HeaderField, OctetText } from "../../src/standards/message/header-field.ts";
import { MessageReader } from "../../src/standards/message/message-reader.ts";
import { AUTHOR_DOMAIN } from "./awkward-mail.ts";
import type { MailText } from "./mail-text.ts";

export interface DkimPeer {
  /** For each mail, what each of its signatures came to, by selector: "pass", or the peer's own word. */
  verify(mails: readonly MailText[]): Promise<readonly ReadonlyMap<string, string>[]>;
  /** For each wish, the fields that belong on top of the mail; none where the peer would not sign. */
  sign(wishes: readonly SigningWish[]): Promise<readonly (readonly HeaderField[])[]>;
  stop(): Promise<void>;
}

export interface SigningWish {
  readonly mail: MailText;
  readonly pair: CanonicalPair;
  /** Peers that cannot choose for each mail have their own. */
  readonly keys: readonly PeerKey[];
}

export const CANONICAL_PAIRS = [
  "simple/simple",
  "simple/relaxed",
  "relaxed/simple",
  "relaxed/relaxed",
] as const satisfies readonly `${Canonicalization}/${Canonicalization}`[];
export type CanonicalPair = (typeof CANONICAL_PAIRS)[number];

export interface PeerKey extends SigningKey {
  /** "r2048._domainkey.example.org" */
  readonly owner: string;
  readonly recordText: string;
}

function peerKey(selector: string, keyType: "rsa" | "ed25519", privateKey: KeyObject): PeerKey {
  const publicKey = dkimPublicKeyOf(privateKey);
  if (!publicKey.ok) throw new Error(publicKey.problem);
  return {
    signingDomain: domainName(AUTHOR_DOMAIN),
    dkimSelector: selector as DkimSelector,
    keyType,
    privateKey,
    owner: `${selector}._domainkey.${AUTHOR_DOMAIN}`,
    recordText: formatDkimKey(recordForKey(publicKey.value)),
  };
}

const rsa = (bits: number): PeerKey =>
  peerKey(`r${bits}`, "rsa", generateKeyPairSync("rsa", { modulusLength: bits }).privateKey);

export const PEER_KEYS = {
  r1024: rsa(1_024),
  r2048: rsa(2_048),
  r4096: rsa(4_096),
  ed: peerKey("ed", "ed25519", generateKeyPairSync("ed25519").privateKey),
} as const;

/** Takes a mail apart as it comes over the wire. */
export function readMail(octets: Buffer, chunkOctets = octets.length): MailText {
  const fields: HeaderField[] = [];
  const body: Buffer[] = [];
  const reader = new MessageReader({
    field: (field) => fields.push(field),
    endOfHeaders() {},
    body: (chunk) => body.push(Buffer.from(chunk)),
  });
  for (let at = 0; at < octets.length; at += chunkOctets) reader.write(octets.subarray(at, at + chunkOctets));
  const { header } = reader.end();
  if (header.exceeded.length > 0) throw new Error(`too much ${header.exceeded.join(", ")}`);
  return { fields, body: Buffer.concat(body) };
}

/** "DKIM-Signature: …" with its line end. */
export function readFields(text: OctetText): readonly HeaderField[] {
  return readMail(Buffer.from(text, "latin1")).fields;
}
