/** A certificate that signs itself, so that a server of ours can offer TLS (RFC 5280 §4.1): as little of it as TLS needs. */
import { createPrivateKey, createPublicKey, randomBytes, sign } from "node:crypto";

export interface SelfSignedOptions {
  /** The name that it stands for. */
  readonly name: string;
  /** An RSA key in PEM. */
  readonly privateKey: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** In PEM. */
export function selfSignedCertificate({ name, privateKey, notBefore, notAfter }: SelfSignedOptions): string {
  const key = createPrivateKey(privateKey);
  if (key.asymmetricKeyType !== "rsa") throw new TypeError("an RSA key belongs here");
  const issuer = sequence(der(SET, sequence(COMMON_NAME, der(UTF8_STRING, Buffer.from(name)))));
  const names = sequence(ALTERNATIVE_NAME, der(OCTET_STRING, sequence(der(DNS_NAME, Buffer.from(name)))));
  const body = sequence(
    der(VERSION, der(INTEGER, Buffer.from([2]))),
    // Positive, and never twice the same (§4.1.2.2).
    der(INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    SHA256_WITH_RSA,
    issuer,
    sequence(time(notBefore), time(notAfter)),
    issuer,
    createPublicKey(key).export({ type: "spki", format: "der" }),
    der(EXTENSIONS, sequence(names)),
  );
  const signature = der(BIT_STRING, Buffer.concat([Buffer.from([0]), sign("sha256", body, key)]));
  const lines =
    sequence(body, SHA256_WITH_RSA, signature)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const UTC_TIME = 0x17;
const SET = 0x31;
/** [0] and [3] of TBSCertificate, [2] of GeneralName. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;

/** 2.5.4.3 */
const COMMON_NAME = Buffer.from("0603550403", "hex");
/** 2.5.29.17, subjectAltName */
const ALTERNATIVE_NAME = Buffer.from("0603551d11", "hex");
/** 1.2.840.113549.1.1.11 with a NULL behind it */
const SHA256_WITH_RSA = Buffer.from("300d06092a864886f70d01010b0500", "hex");

/** §4.1.2.5: two digits for the year before 2050. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050
    ? der(UTC_TIME, Buffer.from(digits.slice(2)))
    : der(GENERALIZED_TIME, Buffer.from(digits));
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, Buffer.concat(parts));

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const octets = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...octets]), content]);
}
