/** The files are read by YAML 1.1, as octoDNS does, and held to its documented form of each type. */
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import {
  EXPORTED,
  exported,
  exportedLines,
  exportLine,
  nameIn,
  txt,
} from "../../../test/support/exported.ts";
import { domainName } from "../../standards/dns/name.ts";
import { type Rdata, textToOctets } from "../../standards/dns/record.ts";

type Fields = Readonly<Record<string, unknown>>;

interface RrsetFields {
  readonly type: string;
  readonly ttl: number;
  readonly value?: unknown;
  readonly values?: readonly unknown[];
}

/** Exactly these keys, of these types. */
function fields(value: unknown, types: Readonly<Record<string, "string" | "number">>): Fields {
  expect(
    Object.entries(value as Fields)
      .map(([key, field]) => [key, typeof field])
      .sort(),
  ).toEqual(Object.entries(types).sort());
  return value as Fields;
}

const target = (value: unknown) => {
  expect(value).toMatch(/\.$/);
  return domainName(value as string);
};

function rdata(type: string, value: unknown): Rdata {
  switch (type) {
    case "A":
    case "AAAA":
      expect(value).toBeTypeOf("string");
      return { type, address: value as string };
    case "CNAME":
      return { type, target: target(value) };
    case "TXT": {
      expect(value, "semicolons are escaped").not.toMatch(/(?<!\\);/);
      return txt((value as string).replaceAll("\\;", ";"));
    }
    case "MX": {
      const { preference, exchange } = fields(value, { preference: "number", exchange: "string" });
      return { type, preference: preference as number, exchange: target(exchange) };
    }
    case "SRV": {
      const types = { priority: "number", weight: "number", port: "number", target: "string" } as const;
      const { priority, weight, port, target: name } = fields(value, types);
      return { type, priority, weight, port, target: target(name) } as Rdata;
    }
    case "CAA": {
      const { flags, tag, value: text } = fields(value, { flags: "number", tag: "string", value: "string" });
      return { type, flags: flags as number, tag: tag as string, value: textToOctets(text as string) };
    }
    case "TLSA": {
      const { certificate_usage, selector, matching_type, certificate_association_data } = fields(value, {
        certificate_usage: "number",
        selector: "number",
        matching_type: "number",
        certificate_association_data: "string",
      });
      return {
        type,
        usage: certificate_usage as number,
        tlsaSelector: selector as number,
        matchingType: matching_type as number,
        associationData: Uint8Array.from(Buffer.from(certificate_association_data as string, "hex")),
      };
    }
    default:
      throw new TypeError(`a record of type ${type}`);
  }
}

function read(text: string): { lines: string[]; names: string[][] } {
  const lines: string[] = [];
  const names: string[][] = [];
  const files = text.split(/^(?=# .*\.yaml$)/m).map((file) => file.replace(/^---\n/m, ""));
  for (const file of files) {
    const zone = /^# (.*)\.yaml\n/.exec(file)![1]!;
    const [document, ...more] = parseAllDocuments(file.trimEnd(), { version: "1.1" });
    expect(more).toEqual([]);
    const content = document!.toJS({ mapAsMap: true }) as Map<unknown, unknown>;
    names.push([...content.keys()] as string[]);
    for (const [name, sets] of content) {
      expect(name, "no name is read as anything but a text").toBeTypeOf("string");
      for (const set of [sets].flat() as Map<string, unknown>[]) {
        const { type, ttl, value, values, ...others } = plain(set) as RrsetFields;
        expect(others).toEqual({});
        expect(ttl).toBeTypeOf("number");
        expect(value === undefined).toBe(values !== undefined);
        const list = values ?? [value];
        expect(list.length).toBeGreaterThan(values === undefined ? 0 : 1);
        for (const each of list) lines.push(exportLine(nameIn(zone, name as string), ttl, rdata(type, each)));
      }
    }
  }
  return { lines: lines.sort(), names };
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [key, plain(each)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

/** The tool refuses it: "non ASCII character". */
const BEYOND_ASCII = / TXT .*\\\d{3}/;

it.each(EXPORTED)("$name", (each) => {
  const text = exported(each, "octodns");
  const wanted = exportedLines(each);
  expect(read(text).lines).toEqual(wanted.filter((line) => !BEYOND_ASCII.test(line)));
  const byHand = text.split("\n").filter((line) => line.startsWith("# octoDNS has no way to say this;"));
  expect(byHand).toHaveLength(wanted.filter((line) => BEYOND_ASCII.test(line)).length);
});

describe("the order of names", () => {
  it("is natural: the loader refuses any other", () => {
    const { names } = read(exported(EXPORTED.at(-1)!, "octodns"));
    const numbers = names[0]!.filter((name) => /^\d+$/.test(name));
    expect(numbers).toEqual(["9", "10"]);
    expect(names[0]![0]).toBe("");
  });
});
