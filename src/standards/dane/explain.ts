/** A TLSA record in plain words. */
import type { ExplainedTerm, Explanation } from "../dns/remark.ts";
import { remarksOnTlsaText } from "./remarks.ts";
import { parseTlsa, type TlsaData } from "./tlsa.ts";

export function explainTlsa(text: string): Explanation {
  const parsed = parseTlsa(text);
  const terms = parsed.ok ? termsOf(parsed.value) : [];
  return { title: "TLSA record (RFC 6698)", terms, remarks: remarksOnTlsaText(text) };
}

/** RFC 7218 has the names. */
const USAGES = [
  "PKIX-TA: an authority that browsers trust, too, must have issued the certificate.",
  "PKIX-EE: the server's certificate, which a public authority must have issued, too.",
  "DANE-TA: an authority of your own choice must have issued the server's certificate.",
  "DANE-EE: exactly this server certificate or key; issuer, name and expiry do not count.",
];
const SELECTORS = ["Cert: the whole certificate.", "SPKI: the public key alone."];
const MATCHING_TYPES = [
  "Full: the data is the thing itself.",
  "SHA2-256: the data is its SHA-256 digest.",
  "SHA2-512: the data is its SHA-512 digest.",
];

function termsOf({ usage, tlsaSelector, matchingType, associationData }: TlsaData): ExplainedTerm[] {
  const unknown = "Unknown; senders ignore the record.";
  const hex = Buffer.from(associationData).toString("hex");
  return [
    { text: `${usage}`, meaning: `Certificate usage ${USAGES[usage] ?? unknown}` },
    { text: `${tlsaSelector}`, meaning: `Selector ${SELECTORS[tlsaSelector] ?? unknown}` },
    { text: `${matchingType}`, meaning: `Matching type ${MATCHING_TYPES[matchingType] ?? unknown}` },
    {
      text: hex.length > 64 ? `${hex.slice(0, 60)}…` : hex,
      meaning: `The data: ${associationData.length} octets.`,
    },
  ];
}
