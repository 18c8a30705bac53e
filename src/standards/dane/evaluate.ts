/** Whether a server's certificate is one that its TLSA records allow (RFC 7671 §5, RFC 7672 §3.1). */
import { X509Certificate } from "node:crypto";
import { type TlsaData, tlsaMatches, tryRead } from "./tlsa.ts";

export type DaneDecision =
  | {
      readonly matches: true;
      readonly record: TlsaData;
      /** Usage 2 alone: the name and the dates of the server's certificate count as well. */
      readonly namesCount: boolean;
    }
  | { readonly matches: false; readonly reason: string };

/** `chain`: DER as the server sent it, its own certificate first. */
export function evaluateDane(records: readonly TlsaData[], chain: readonly Uint8Array[]): DaneDecision {
  const [own, ...above] = chain;
  if (own === undefined) return { matches: false, reason: "the server sent no certificate" };
  const entity = records.find((record) => record.usage === 3 && tlsaMatches(record, own));
  if (entity !== undefined) return { matches: true, record: entity, namesCount: false };
  const anchors = records.filter(({ usage }) => usage === 2);
  for (const record of anchors) {
    const at = above.findIndex((certificate) => tlsaMatches(record, certificate));
    if (at >= 0 && isChain(chain.slice(0, at + 2))) return { matches: true, record, namesCount: true };
  }
  const usable = records.filter(({ usage }) => usage === 2 || usage === 3);
  if (usable.length === 0) return { matches: false, reason: "no record has usage 2 or 3" };
  const missingAnchor =
    anchors.length === usable.length
      ? "; for usage 2 the server must send the authority's certificate along"
      : "";
  return { matches: false, reason: `none of ${usable.length} TLSA fits the certificate${missingAnchor}` };
}

/** Each certificate is signed with the key of the next. */
function isChain(chain: readonly Uint8Array[]): boolean {
  const read = tryRead(() => chain.map((der) => new X509Certificate(der)));
  if (read === undefined) return false;
  return read.every((certificate, at) => {
    const issuer = read[at + 1];
    return (
      issuer === undefined ||
      (certificate.checkIssued(issuer) && tryRead(() => certificate.verify(issuer.publicKey)) === true)
    );
  });
}
