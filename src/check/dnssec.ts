/** DNSSEC: signed or not, the chain's two ends, signatures that run out, and what validating resolvers say. */
import { createHash } from "node:crypto";
import { shellWord } from "../records/command.ts";
import { type DomainName, labelsOf } from "../standards/dns/name.ts";
import type { RdataOf, RrsigRdata } from "../standards/dns/record.ts";
import { type Context, resolverCommand } from "./context.ts";
import type { Finding } from "./finding.ts";

export async function checkDnssec(context: Context): Promise<Finding[]> {
  const zone = await context.zone;
  if (zone.status !== "found") return [];
  const { apex } = zone.zone;
  const bogus = await bogusFindings(context);
  const ds = await context.lookup(apex, "DS");
  if (ds.status === "unknown") return bogus.length > 0 ? bogus : [context.unknown(apex, "DS", ds)];
  if (ds.status === "absent") {
    return [
      ...bogus,
      context.finding("dnssec-unsigned", {
        owner: apex,
        observed: "no DS at the parent: the zone is not signed",
        verify: "DS",
      }),
    ];
  }
  const [keys, signatures] = await Promise.all([
    context.lookup(apex, "DNSKEY"),
    context.world.authoritative.lookupSignatures(apex, "SOA"),
  ]);
  if (keys.status === "unknown") return bogus.length > 0 ? bogus : [context.unknown(apex, "DNSKEY", keys)];
  const matching =
    keys.status === "found" &&
    ds.records.some((d) => keys.records.some((key) => matches(d.data, key.data, apex)));
  const findings = [...bogus];
  if (!matching) {
    findings.push(
      context.finding("dnssec-ds-without-key", {
        owner: apex,
        expected: `a DNSKEY that fits the DS (key tag ${ds.records.map(({ data }) => data.keyTag).join(", ")})`,
        observed:
          keys.status === "found"
            ? `DNSKEY with key tag ${keys.records.map(({ data }) => keyTag(data)).join(", ")}`
            : "no DNSKEY",
        verify: "DNSKEY",
        fix: {
          summary: "Give the registrar the DS of the key that signs the zone now, or remove the DS there.",
          changes: [],
        },
      }),
    );
  }
  if ("status" in signatures) findings.push(context.unknown(apex, "SOA", signatures));
  else findings.push(...expiryFindings(apex, signatures, context));
  if (findings.length === 0) {
    const vouched = await vouching(context);
    findings.push(
      context.finding("dnssec-ok", {
        owner: apex,
        observed: `signed${vouched.length > 0 ? `; ${vouched.join(", ")} ${vouched.length === 1 ? "validates" : "validate"} it` : ""}`,
        verify: { command: `dig SOA ${shellWord(apex)} +dnssec` },
      }),
    );
  }
  return findings;
}

/** Resolvers that answer SERVFAIL, and the answer itself once they are told not to validate (CD). */
async function bogusFindings(context: Context): Promise<Finding[]> {
  const { domain } = context;
  const found = await Promise.all(
    context.world.recursive.map(async (resolver) => {
      const answer = await resolver.lookup(domain, "MX");
      if (answer.status !== "unknown" || answer.cause !== "bogus") return [];
      return [
        context.finding("dnssec-bogus", {
          owner: domain,
          observed: `resolver ${resolver.label}: ${answer.detail}`,
          verify: { command: `${resolverCommand(domain, "MX", resolver)} +cd` },
        }),
      ];
    }),
  );
  return found.flat();
}

async function vouching(context: Context): Promise<string[]> {
  const asked = await Promise.all(
    context.world.recursive.map(async (resolver) => {
      const answer = await resolver.lookup(context.domain, "MX");
      return answer.status !== "unknown" && answer.secure === true ? [resolver.label] : [];
    }),
  );
  return asked.flat();
}

const HOUR_SECONDS = 3600;
const ERROR_HOURS = 12;
const WARNING_HOURS = 48;

function expiryFindings(apex: DomainName, signatures: readonly RrsigRdata[], context: Context): Finding[] {
  if (signatures.length === 0) {
    return [
      context.finding("dnssec-signature-missing", {
        owner: apex,
        observed: "a DS at the parent, but no signature over the SOA",
        verify: { command: `dig SOA ${shellWord(apex)} +dnssec` },
      }),
    ];
  }
  const now = context.world.now.getTime() / 1000;
  const latest = Math.max(...signatures.map(({ expiration }) => expiration));
  const hours = (latest - now) / HOUR_SECONDS;
  if (hours >= WARNING_HOURS) return [];
  const date = new Date(latest * 1000).toISOString().slice(0, 16).replace("T", " ");
  return [
    context.finding(hours < 0 ? "dnssec-signature-expired" : "dnssec-signature-expiring", {
      owner: apex,
      severity: hours < ERROR_HOURS ? "error" : "warning",
      observed: `the signature over the SOA ${hours < 0 ? "ended" : "ends"} on ${date} UTC`,
      verify: { command: `dig SOA ${shellWord(apex)} +dnssec` },
      fix: {
        summary: "Let the signer run: sign the zone again, and see why it did not by itself.",
        changes: [],
      },
    }),
  ];
}

/** RFC 4034 §5.1.4: the DS digest covers the owner name and the key's data. */
function matches(ds: RdataOf<"DS">, key: RdataOf<"DNSKEY">, apex: DomainName): boolean {
  if (ds.algorithm !== key.algorithm || ds.keyTag !== keyTag(key)) return false;
  const algorithm = { 1: "sha1", 2: "sha256", 4: "sha384" }[ds.digestType];
  if (algorithm === undefined) return true; // a digest that we cannot compute is no evidence against the key
  const owner = labelsOf(apex).flatMap((label) => [Uint8Array.of(label.length), label]);
  const hash = createHash(algorithm);
  for (const part of [...owner, Uint8Array.of(0), keyData(key)]) hash.update(part);
  return hash.digest().equals(ds.digest);
}

function keyData(key: RdataOf<"DNSKEY">): Uint8Array {
  return Uint8Array.of(key.flags >> 8, key.flags & 0xff, key.protocol, key.algorithm, ...key.publicKey);
}

/** RFC 4034 appendix B */
export function keyTag(key: RdataOf<"DNSKEY">): number {
  const data = keyData(key);
  let sum = 0;
  for (let at = 0; at < data.length; at++) sum += at & 1 ? data[at]! : data[at]! << 8;
  return (sum + (sum >>> 16)) & 0xffff;
}
