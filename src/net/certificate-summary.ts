/** What a certificate says, as the checks need it. */
import type { KeyObject, X509Certificate } from "node:crypto";
import type { Certificate } from "../check/probe.ts";

export function certificateSummary(x509: X509Certificate): Certificate {
  const issuerOrganization = attribute(x509.issuer, "O");
  return {
    der: new Uint8Array(x509.raw),
    subject: onOneLine(x509.subject),
    issuer: onOneLine(x509.issuer),
    ...(issuerOrganization !== undefined && { issuerOrganization }),
    names: certificateNames(x509),
    notBefore: new Date(x509.validFrom),
    notAfter: new Date(x509.validTo),
    key: keyOf(x509),
  };
}

/** Node writes one attribute a line; empty names come as undefined, whatever the types say. */
function onOneLine(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ");
}

/** The last attribute of that type, which is the most specific. */
function attribute(name: string | undefined, type: string): string | undefined {
  const line = (name ?? "").split("\n").findLast((each) => each.startsWith(`${type}=`));
  return line
    ?.slice(type.length + 1)
    .replace(ESCAPED, (_, hex?: string, sign?: string) =>
      hex === undefined ? sign! : String.fromCharCode(Number.parseInt(hex, 16)),
    );
}

/** OpenSSL writes control characters by number, and puts a backslash before signs that mean something. */
const ESCAPED = /\\(?:([0-9A-F]{2})|(.))/g;

function certificateNames(x509: X509Certificate): readonly string[] {
  const names = [...(x509.subjectAltName ?? "").matchAll(ALTERNATIVE_NAME)].flatMap(([, type, text = ""]) =>
    type === "DNS" ? [unquoted(text).toLowerCase()] : [],
  );
  if (names.length > 0) return names;
  const commonName = attribute(x509.subject, "CN");
  return commonName === undefined ? [] : [commonName.toLowerCase()];
}

/** Node puts values with odd characters in quotes, as JSON: they cannot pass for a further name. */
const ALTERNATIVE_NAME = /(?:^|, )([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^,"]*)/g;

function unquoted(text: string): string {
  return text.startsWith('"') ? String(JSON.parse(text)) : text;
}

function keyOf(x509: X509Certificate): Certificate["key"] {
  let key: KeyObject;
  try {
    key = x509.publicKey;
  } catch {
    return { type: "other" }; // a kind of key that OpenSSL does not know
  }
  const { modulusLength, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "rsa":
    case "rsa-pss":
      return { type: "rsa", ...(modulusLength !== undefined && { bits: modulusLength }) };
    case "ec": {
      const bits = CURVE_BITS[namedCurve];
      return { type: "ec", ...(bits !== undefined && { bits }) };
    }
    default:
      return { type: "other" };
  }
}

const CURVE_BITS: Readonly<Record<string, number>> = { prime256v1: 256, secp384r1: 384, secp521r1: 521 };
