/** Certificates of the test's own, right or wrong in any way: X.509 (RFC 5280 §4.1) written as DER by hand. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export interface CertificateOptions {
  /** The common name. */
  readonly subject: string;
  readonly organization?: string;
  /** DNS names and IPv4 addresses it stands for. */
  readonly names?: readonly string[];
  /** A day before today, and 60 days after, where absent. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Signed by itself where absent. */
  readonly issuer?: IssuedCertificate;
  readonly isAuthority?: boolean;
  /** An RSA key of that many bits; P-256 where absent. */
  readonly rsaBits?: number;
}

export interface IssuedCertificate {
  readonly subject: string;
  readonly organization: string | undefined;
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  readonly der: Buffer;
}

/** What a server is given: PEM, its own certificate first. */
export interface ServedCertificate {
  readonly chain: string;
  readonly key: string;
}

const DAY_MILLISECONDS = 86_400_000;

export function issueCertificate(options: CertificateOptions): IssuedCertificate {
  const { subject, organization, names = [], issuer, isAuthority = false, rsaBits } = options;
  const notBefore = options.notBefore ?? new Date(Date.now() - DAY_MILLISECONDS);
  const notAfter = options.notAfter ?? new Date(Date.now() + 60 * DAY_MILLISECONDS);
  const { privateKey, publicKey } =
    rsaBits === undefined
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: rsaBits });
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const algorithm = signatureAlgorithm(signer);
  const extensions = [
    extension("2.5.29.19", true, sequence(isAuthority ? der(0x01, Buffer.from([0xff])) : Buffer.alloc(0))),
    ...(names.length > 0 ? [extension("2.5.29.17", false, alternativeNames(names))] : []),
  ];
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer?.subject ?? subject, issuer === undefined ? organization : issuer.organization),
    sequence(time(notBefore), time(notAfter)),
    distinguishedName(subject, organization),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", body, signer);
  const whole = sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  return {
    subject,
    organization,
    certificate: pem("CERTIFICATE", whole),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    der: whole,
  };
}

export interface TestAuthority {
  readonly root: IssuedCertificate;
  readonly intermediate: IssuedCertificate;
  /** A certificate below the intermediate, and the chain as a server should send it. */
  issue(options: Omit<CertificateOptions, "issuer">): IssuedCertificate & ServedCertificate;
}

/** A root with an intermediate below it, as public authorities have. */
export function createAuthority(organization = "Test Authority"): TestAuthority {
  const root = issueCertificate({ subject: "Test Root", organization, isAuthority: true });
  const intermediate = issueCertificate({
    subject: "Test Intermediate",
    organization,
    isAuthority: true,
    issuer: root,
  });
  return {
    root,
    intermediate,
    issue(options) {
      const issued = issueCertificate({ ...options, issuer: intermediate });
      return { ...issued, chain: issued.certificate + intermediate.certificate };
    },
  };
}

function signatureAlgorithm(key: KeyObject): Buffer {
  return key.asymmetricKeyType === "ec"
    ? sequence(objectId("1.2.840.10045.4.3.2"))
    : sequence(objectId("1.2.840.113549.1.1.11"), der(0x05, Buffer.alloc(0)));
}

function distinguishedName(commonName: string, organization: string | undefined): Buffer {
  const attribute = (id: string, text: string) =>
    der(0x31, sequence(objectId(id), der(0x0c, Buffer.from(text))));
  return sequence(
    ...(organization === undefined ? [] : [attribute("2.5.4.10", organization)]),
    attribute("2.5.4.3", commonName),
  );
}

function alternativeNames(names: readonly string[]): Buffer {
  return sequence(
    ...names.map((name) =>
      isIPv4(name) ? der(0x87, Buffer.from(name.split(".").map(Number))) : der(0x82, Buffer.from(name)),
    ),
  );
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : [];
  return sequence(objectId(id), ...critical, der(0x04, value));
}

/** RFC 5280 §4.1.2.5: two digits for the year before 2050. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2)))
    : der(0x18, Buffer.from(digits));
}

function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const octets = rest.flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...octets]));
}

const integer = (octets: Buffer): Buffer => der(0x02, octets);
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, Buffer.concat(parts));

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const octets = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...octets]), content]);
}

function pem(label: string, octets: Buffer): string {
  const lines = octets.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
