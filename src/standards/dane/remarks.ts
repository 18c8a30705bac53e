/** What is wrong or unwise in a TLSA record for SMTP between servers (RFC 7672 §3.1). */
import { createPublicKey, X509Certificate } from "node:crypto";
import type { Remark } from "../dns/remark.ts";
import { parseTlsa, type TlsaData, tryRead } from "./tlsa.ts";

export function remarksOnTlsaText(text: string): Remark[] {
  const parsed = parseTlsa(text);
  if (parsed.ok) return remarksOnTlsa(parsed.value);
  return [remark("tlsa-syntax", "error", "RFC 6698 §2.2", parsed.problem)];
}

export function remarksOnTlsa(data: TlsaData): Remark[] {
  const unusable = [...unknownRemarks(data), ...usageRemarks(data), ...dataRemarks(data)];
  return [...unusable, ...(unusable.length === 0 ? choiceRemarks(data) : [])];
}

function remark(code: string, severity: Remark["severity"], reference: string, message: string): Remark {
  return { code, severity, message, reference };
}

function unknownRemarks({ usage, tlsaSelector, matchingType }: TlsaData): Remark[] {
  const remarks: Remark[] = [];
  const add = (code: string, what: string, section: string) =>
    remarks.push(
      remark(code, "error", `RFC 6698 §${section}`, `${what} has no meaning; senders ignore the record`),
    );
  if (usage > 3) add("tlsa-unknown-usage", `certificate usage ${usage}`, "2.1.1");
  if (tlsaSelector > 1) add("tlsa-unknown-selector", `selector ${tlsaSelector}`, "2.1.2");
  if (matchingType > 2) add("tlsa-unknown-matching-type", `matching type ${matchingType}`, "2.1.3");
  return remarks;
}

function usageRemarks({ usage }: TlsaData): Remark[] {
  if (usage > 1) return [];
  const message = `certificate usage ${usage} asks senders to trust public authorities, which mail servers do not do: many treat the record as unusable; use 3 1 1`;
  return [remark("tlsa-pkix-usage", "error", "RFC 7672 §3.1.3", message)];
}

const DIGEST_OCTETS: Readonly<Record<number, readonly [name: string, octets: number]>> = {
  1: ["SHA-256", 32],
  2: ["SHA-512", 64],
};

function dataRemarks({ tlsaSelector, matchingType, associationData }: TlsaData): Remark[] {
  const [name, octets] = DIGEST_OCTETS[matchingType] ?? [];
  const found = associationData.length;
  if (octets !== undefined) {
    if (found === octets) return [];
    const message = `matching type ${matchingType} is ${name} with ${octets} octets (${octets * 2} hex digits), and the data has ${found}: nothing can match it`;
    return [remark("tlsa-digest-length", "error", "RFC 6698 §2.1.3", message)];
  }
  if (matchingType !== 0 || tlsaSelector > 1 || isReadable(associationData, tlsaSelector)) return [];
  const what = tlsaSelector === 0 ? "certificate" : "public key";
  const digest = found === 32 ? "; it looks like a digest, which is matching type 1" : "";
  const message = `matching type 0 holds a whole ${what}, and the data is none${digest}`;
  return [remark("tlsa-unreadable-data", "error", "RFC 6698 §2.1.4", message)];
}

function isReadable(octets: Uint8Array, tlsaSelector: number): boolean {
  const key = Buffer.from(octets);
  const read = tryRead(() =>
    tlsaSelector === 0 ? new X509Certificate(key) : createPublicKey({ key, format: "der", type: "spki" }),
  );
  return read !== undefined;
}

function choiceRemarks({ usage, tlsaSelector, matchingType }: TlsaData): Remark[] {
  const remarks: Remark[] = [];
  if (matchingType === 0) {
    const message =
      "matching type 0 puts a whole certificate or key into DNS, which makes answers large and clients stumble; use matching type 1";
    remarks.push(remark("tlsa-full-data", "warning", "RFC 7672 §3.1.2", message));
  }
  if (matchingType === 2) {
    const message = "clients need not support SHA-512; only matching type 1 works everywhere";
    remarks.push(remark("tlsa-sha512", "notice", "RFC 7671 §9", message));
  }
  if (usage === 3 && tlsaSelector === 0) {
    const message =
      "selector 0 is about the whole certificate, so the record must change at every renewal; 3 1 1 stays while the key stays";
    remarks.push(remark("tlsa-whole-certificate", "warning", "RFC 7671 §5.1", message));
  }
  if (usage === 2 && tlsaSelector === 1) {
    const message =
      "for an authority senders should see the whole certificate with its constraints: 2 0 1 instead of 2 1 1";
    remarks.push(remark("tlsa-authority-key", "notice", "RFC 7672 §3.1.2", message));
  }
  if (usage === 2) {
    const message =
      "usage 2 works only while the server sends the authority's certificate along, and names count; 3 1 1 is simpler";
    remarks.push(remark("tlsa-not-preferred", "notice", "RFC 7672 §3.1", message));
  }
  return remarks;
}
