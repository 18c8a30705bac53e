/** The dnsconfig.js is run, against functions that take what DNSControl's documentation says, and nothing else. */
import { createContext, runInContext } from "node:vm";
import { expect, it } from "vitest";
import {
  EXPORTED,
  exported,
  exportedLines,
  exportLine,
  nameIn,
  txt,
} from "../../../test/support/exported.ts";
import { type DomainName, domainName } from "../../standards/dns/name.ts";
import { type Rdata, textToOctets } from "../../standards/dns/record.ts";

/** What stands among the arguments of D() beside records. */
type Modifier = { readonly ttl: number } | "NO_PURGE" | "CAA_CRITICAL" | "PROVIDER" | "END";
interface Entry {
  readonly name: string;
  readonly data: Rdata;
  readonly modifiers: readonly Modifier[];
}

const string = (value: unknown): string => {
  if (typeof value === "string") return value;
  throw new TypeError(`a string belongs here, not ${value}`);
};
const number =
  (max: number) =>
  (value: unknown): number => {
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max) return value as number;
    throw new TypeError(`a number up to ${max} belongs here, not ${value}`);
  };
/** A target without the final dot would stand below the zone. */
const target = (value: unknown): DomainName => {
  if (!string(value).endsWith(".")) throw new TypeError(`${value} lacks its final dot`);
  return domainName(string(value));
};
const label = (value: unknown): string => {
  const name = string(value);
  if (name === "" || name.endsWith(".")) throw new TypeError(`"${name}" is no name below a zone`);
  return name;
};
const hex = (value: unknown): Uint8Array => {
  if (!/^([0-9a-f]{2})+$/.test(string(value))) throw new TypeError(`${value} is not hex`);
  return Uint8Array.from(Buffer.from(string(value), "hex"));
};

/** A record function: its name, then these arguments, then any number of modifiers. */
function record<const A extends readonly ((value: unknown) => unknown)[]>(
  types: A,
  make: (...values: { [K in keyof A]: ReturnType<A[K]> }) => Rdata,
) {
  return (name: unknown, ...rest: readonly unknown[]): Entry => {
    if (rest.length < types.length) throw new TypeError("an argument is missing");
    const values = types.map((type, at) => type(rest[at])) as { [K in keyof A]: ReturnType<A[K]> };
    return { name: label(name), data: make(...values), modifiers: rest.slice(types.length) as Modifier[] };
  };
}

function run(source: string): { lines: string[]; zones: string[] } {
  const lines: string[] = [];
  const zones: string[] = [];
  const context = {
    NewRegistrar: (name: unknown) => ({ registrar: string(name) }),
    NewDnsProvider: (name: unknown) => ({ provider: string(name) }),
    DnsProvider: (provider: { provider?: string }): Modifier => {
      string(provider.provider);
      return "PROVIDER";
    },
    NO_PURGE: "NO_PURGE",
    CAA_CRITICAL: "CAA_CRITICAL",
    END: "END",
    TTL: (seconds: unknown): Modifier => ({ ttl: number(2 ** 31 - 1)(seconds) }),
    A: record([string], (address) => ({ type: "A", address })),
    AAAA: record([string], (address) => ({ type: "AAAA", address })),
    CNAME: record([target], (name) => ({ type: "CNAME", target: name })),
    PTR: record([target], (name) => ({ type: "PTR", target: name })),
    TXT: record([string], txt),
    MX: record([number(65_535), target], (preference, exchange) => ({ type: "MX", preference, exchange })),
    SRV: record([number(65_535), number(65_535), number(65_535), target], (priority, weight, port, name) => ({
      type: "SRV",
      priority,
      weight,
      port,
      target: name,
    })),
    TLSA: record([number(255), number(255), number(255), hex], (usage, tlsaSelector, matchingType, data) => ({
      type: "TLSA",
      usage,
      tlsaSelector,
      matchingType,
      associationData: data,
    })),
    CAA: record([string, string], (tag, value) => ({
      type: "CAA",
      flags: 0,
      tag,
      value: textToOctets(value),
    })),
    D: (zone: unknown, registrar: { registrar?: string }, ...arguments_: readonly (Modifier | Entry)[]) => {
      string(registrar.registrar);
      const isEntry = (each: Modifier | Entry): each is Entry => typeof each === "object" && "data" in each;
      expect(arguments_.filter((each) => !isEntry(each))).toEqual(["PROVIDER", "NO_PURGE", "END"]);
      zones.push(string(zone));
      for (const { name, data, modifiers } of arguments_.filter(isEntry)) {
        const [ttl, ...others] = modifiers.toSorted((x) => (typeof x === "object" ? -1 : 1));
        if (
          typeof ttl !== "object" ||
          others.some((other) => other !== "CAA_CRITICAL" || data.type !== "CAA")
        ) {
          throw new TypeError(`modifiers of ${name}: ${JSON.stringify(modifiers)}`);
        }
        const flagged = data.type === "CAA" && others.length > 0 ? { ...data, flags: 128 } : data;
        lines.push(exportLine(nameIn(string(zone), name), ttl.ttl, flagged));
      }
    },
  };
  runInContext(source, createContext(context), { timeout: 5_000 });
  return { lines: lines.sort(), zones };
}

it.each(EXPORTED)("$name", (each) => {
  const { lines, zones } = run(exported(each, "dnscontrol"));
  expect(lines).toEqual(exportedLines(each));
  expect(new Set(zones).size).toBe(zones.length);
});
