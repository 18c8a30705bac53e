/** What is wrong with the certificate that a server shows, for the name by which it was asked for. */
import type { DomainName } from "../standards/dns/name.ts";
import type { FindingCode } from "./catalogue.ts";
import type { Certificate, TlsSession, TrustProblem } from "./probe.ts";

export interface CertificateFault {
  readonly code: FindingCode;
  readonly observed: string;
  readonly expected?: string;
}

const DAY_MS = 86_400_000;
/** A renewal that works comes long before. */
const EXPIRING_DAYS = 10;

/** Empty where all is well. One fault hides those that follow from it. */
export function certificateFaults(
  { chain, trust }: Pick<TlsSession, "chain" | "trust">,
  host: DomainName,
  now: Date,
): CertificateFault[] {
  const [own] = chain;
  if (own === undefined) return [];
  const faults: CertificateFault[] = [];
  if (!own.names.some((name) => standsFor(name, host))) {
    faults.push({
      code: "certificate-name-mismatch",
      expected: `a certificate for ${host}`,
      observed: `a certificate for ${own.names.slice(0, 5).join(", ") || own.subject || "no name at all"}`,
    });
  }
  const time = timeFault(own, now);
  if (time !== undefined) return [...faults, time];
  if (!trust.ok) {
    // An expired certificate further up is the authority's, and the chain is at fault.
    const code = trust.problem === "expired" || trust.problem === "not-yet-valid" ? "other" : trust.problem;
    faults.push({
      code: CODES[code],
      observed: `issued by ${own.issuer || "nobody"}; ${trust.detail}`,
    });
    return faults;
  }
  return faults.length > 0 ? faults : expiringFaults(own, now);
}

const CODES: Readonly<Record<Exclude<TrustProblem, "expired" | "not-yet-valid">, FindingCode>> = {
  "self-signed": "certificate-self-signed",
  "incomplete-chain": "certificate-incomplete-chain",
  "unknown-authority": "certificate-unknown-authority",
  other: "certificate-not-trusted",
};

function timeFault({ notBefore, notAfter }: Certificate, now: Date): CertificateFault | undefined {
  if (now > notAfter) return { code: "certificate-expired", observed: `it ended on ${dayOf(notAfter)}` };
  if (now < notBefore)
    return { code: "certificate-not-yet-valid", observed: `it begins on ${dayOf(notBefore)}` };
  return undefined;
}

/** Certificates that live for days only are renewed late: they count once a third of their life is left. */
function expiringFaults({ notBefore, notAfter }: Certificate, now: Date): CertificateFault[] {
  const left = notAfter.getTime() - now.getTime();
  const third = (notAfter.getTime() - notBefore.getTime()) / 3;
  if (left >= Math.min(EXPIRING_DAYS * DAY_MS, third)) return [];
  // Without the days that are left: the same certificate is the same finding tomorrow.
  return [{ code: "certificate-expiring", observed: `it ends on ${dayOf(notAfter)}` }];
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** RFC 9525 §6.3: names are compared whole; a wildcard is the whole left-most label, and stands for exactly one. */
export function standsFor(name: string, host: DomainName): boolean {
  if (!name.startsWith("*.")) return name === host;
  const dot = host.indexOf(".");
  return dot > 0 && host.slice(dot + 1) === name.slice(2);
}
