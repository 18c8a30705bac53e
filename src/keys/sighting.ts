/** What a name server shows where a key should be. */
import { type DkimKeyReading, parseDkimKey } from "../standards/dkim/key-record.ts";
import { type DkimPublicKey, sameDkimKey } from "../standards/dkim/public-key.ts";
import { octetsToText, txtText } from "../standards/dns/record.ts";
import type { Answer } from "../standards/dns/resolver.ts";
import type { KeyName } from "./key-name.ts";

export type Sight =
  /** The key, and verifiers may use it for mail. */
  | { readonly kind: "this"; readonly text: string }
  | { readonly kind: "absent" }
  /** An empty p=. */
  | { readonly kind: "revoked" }
  | { readonly kind: "other"; readonly publicKey: DkimPublicKey }
  /** More than one TXT record: nobody can say which of them verifiers take (RFC 6376 §3.6.2.2). */
  | { readonly kind: "several"; readonly count: number }
  /** No key that verifiers could use: cut off, damaged, or barred from mail by its own tags. */
  | { readonly kind: "unusable"; readonly code: string; readonly problem: string; readonly text: string }
  /** Could not tell. */
  | { readonly kind: "unknown"; readonly detail: string };

export interface ServerSight {
  /** The server's name: it counts once, by however many addresses it was asked. */
  readonly server: string;
  readonly sight: Sight;
  /** Of the record seen. */
  readonly ttlSeconds?: number;
}

/** One look at every name server, for one key. */
export interface KeyLook extends KeyName {
  readonly perServer: readonly ServerSight[];
  /** How long caches keep an absence; the longest that a server names. */
  readonly negativeTtlSeconds?: number;
}

export function sightOf(answer: Answer<"TXT">, expected: DkimPublicKey): Sight {
  switch (answer.status) {
    case "absent":
      return { kind: "absent" };
    case "unknown":
      return { kind: "unknown", detail: answer.detail };
    case "found": {
      const texts = answer.records.map(({ data }) => octetsToText(txtText(data)));
      return texts.length === 1 ? sightOfText(texts[0]!, expected) : { kind: "several", count: texts.length };
    }
    default:
      return answer satisfies never;
  }
}

function sightOfText(text: string, expected: DkimPublicKey): Sight {
  const reading: DkimKeyReading = parseDkimKey(text);
  switch (reading.status) {
    case "revoked":
      return { kind: "revoked" };
    case "invalid":
      return { kind: "unusable", code: reading.code, problem: reading.problem, text };
    case "valid": {
      const { key, hashes, services } = reading.record;
      if (!sameDkimKey(key, expected)) return { kind: "other", publicKey: key };
      if (hashes !== undefined && !hashes.includes("sha256")) {
        return { kind: "unusable", code: "dkim-no-known-hash", problem: "h= does not allow sha256", text };
      }
      if (!services.some((service) => service === "*" || service === "email")) {
        return { kind: "unusable", code: "dkim-service", problem: "s= does not allow email", text };
      }
      return { kind: "this", text };
    }
    default:
      return reading satisfies never;
  }
}

/** A look, server by server. */
export interface LookSummary {
  /** Every name server shows the key. */
  readonly isEverywhere: boolean;
  /** At least one shows it. */
  readonly isSomewhere: boolean;
  /** Name servers that show something else, or nothing. */
  readonly denying: readonly ServerSight[];
  /** Name servers that gave no usable answer at any address. */
  readonly silent: readonly ServerSight[];
  /** Every name server says that nothing is there. */
  readonly isGone: boolean;
  /** Every name server shows an empty p=, or nothing; at least one the former. */
  readonly isRevoked: boolean;
  /** The longest TTL of what stands in the key's place. */
  readonly otherTtlSeconds: number;
}

export function summarize(perServer: readonly ServerSight[]): LookSummary {
  // An address that cannot be reached from here says nothing where its server answers at another.
  const servers = [...Map.groupBy(perServer, ({ server }) => server).values()].map(
    (sights) =>
      sights.find(({ sight }) => sight.kind !== "this" && sight.kind !== "unknown") ??
      sights.find(({ sight }) => sight.kind === "this") ??
      sights[0]!,
  );
  const kinds = servers.map(({ sight }) => sight.kind);
  const denying = servers.filter(({ sight }) => sight.kind !== "this" && sight.kind !== "unknown");
  return {
    isEverywhere: kinds.length > 0 && kinds.every((kind) => kind === "this"),
    isSomewhere: perServer.some(({ sight }) => sight.kind === "this"),
    denying,
    silent: servers.filter(({ sight }) => sight.kind === "unknown"),
    isGone: kinds.length > 0 && kinds.every((kind) => kind === "absent"),
    isRevoked: kinds.includes("revoked") && kinds.every((kind) => kind === "revoked" || kind === "absent"),
    otherTtlSeconds: Math.max(0, ...denying.map(({ ttlSeconds }) => ttlSeconds ?? 0)),
  };
}

/** For people: what stands there instead. */
export function sightText(sight: Sight): string {
  switch (sight.kind) {
    case "this":
      return "shows the key";
    case "absent":
      return "has no record there";
    case "revoked":
      return "shows it revoked (p= is empty)";
    case "other":
      return "shows another key";
    case "several":
      return `shows ${sight.count} TXT records, of which verifiers take any`;
    case "unusable":
      return `shows a record that verifiers cannot use: ${sight.problem}`;
    case "unknown":
      return `could not be asked: ${sight.detail}`;
    default:
      return sight satisfies never;
  }
}
