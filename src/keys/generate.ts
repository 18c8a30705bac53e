/** New key pairs, of the kinds and sizes that verifiers accept (RFC 8301 §3.2, RFC 8463 §3). */
import { generateKeyPair, type KeyObject } from "node:crypto";
import { type DkimPublicKey, dkimPublicKeyOf } from "../standards/dkim/public-key.ts";
import type { Parsed } from "../standards/dns/parsed.ts";

export type KeyKind =
  | { readonly algorithm: "rsa"; readonly modulusBits: RsaBits }
  | { readonly algorithm: "ed25519" };

export const RSA_BITS = [2048, 3072, 4096] as const;
export type RsaBits = (typeof RSA_BITS)[number];
export const DEFAULT_RSA_BITS: RsaBits = 2048;

export interface KeyPair {
  readonly publicKey: DkimPublicKey;
  /** Shows nothing of itself when it is printed. */
  readonly privateKey: KeyObject;
}

/** Chance as an argument: `generateDkimKeyPair`, or a test's own pairs. */
export type KeyPairMaker = (kind: KeyKind) => Promise<KeyPair>;

export interface ReadKeyKind {
  readonly kind: KeyKind;
  /** What speaks against this choice, where something does. */
  readonly warning?: string;
}

/** `algorithm` and size as people give them. */
export function readKeyKind(algorithm: string, bits: number | undefined): Parsed<ReadKeyKind> {
  switch (algorithm.toLowerCase()) {
    case "ed25519":
      return bits === undefined || bits === 256
        ? {
            ok: true,
            value: {
              kind: { algorithm: "ed25519" },
              warning: "not every verifier knows Ed25519 yet: sign with an RSA key beside it (RFC 8463 §6)",
            },
          }
        : { ok: false, problem: "Ed25519 keys have one size; leave the bits out" };
    case "rsa":
      return readRsaKind(bits ?? DEFAULT_RSA_BITS);
    default:
      return { ok: false, problem: `DKIM knows rsa and ed25519 keys, not "${algorithm}"` };
  }
}

function readRsaKind(bits: number): Parsed<ReadKeyKind> {
  const modulusBits = RSA_BITS.find((each) => each === bits);
  if (modulusBits === undefined) {
    const problem =
      bits < 2048
        ? `new RSA keys have 2048 bits or more; ${bits} are too weak to begin with (RFC 8301 §3.2)`
        : `RSA keys have ${RSA_BITS.join(", ")} bits here, not ${bits}; verifiers need not support more than 4096`;
    return { ok: false, problem };
  }
  const kind: KeyKind = { algorithm: "rsa", modulusBits };
  if (modulusBits === DEFAULT_RSA_BITS) return { ok: true, value: { kind } };
  const characters = recordCharacters(modulusBits);
  const warning = `an RSA key of ${bits} bits makes a record of about ${characters} characters in ${Math.ceil(characters / 255)} strings of at most 255 octets; forms of DNS hosts often cut it, and answers may no longer fit into a UDP packet; 2048 bits are enough`;
  return { ok: true, value: { kind, warning } };
}

/** Modulus, exponent and their ASN.1 shell in base64, behind "v=DKIM1; k=rsa; p=". */
function recordCharacters(modulusBits: number): number {
  return 18 + 4 * Math.ceil((modulusBits / 8 + 38) / 3);
}

export async function generateDkimKeyPair(kind: KeyKind): Promise<KeyPair> {
  const privateKey = await new Promise<KeyObject>((resolve, reject) => {
    const done = (error: Error | null, _: KeyObject, made: KeyObject) =>
      error ? reject(error) : resolve(made);
    if (kind.algorithm === "ed25519") generateKeyPair("ed25519", {}, done);
    else generateKeyPair("rsa", { modulusLength: kind.modulusBits, publicExponent: 65_537 }, done);
  });
  const publicKey = dkimPublicKeyOf(privateKey);
  if (!publicKey.ok) throw new Error(`a new key cannot be read: ${publicKey.problem}`);
  return { publicKey: publicKey.value, privateKey };
}
