/** The parameters of SVCB and HTTPS records as text (RFC 9460 §2.1, §7, Appendix A). */
import { type Family, formatAddress, parseAddress } from "./address.ts";
import type { Parsed } from "./parsed.ts";
import type { OctetString, SvcbRdata } from "./record.ts";
import { quoteText } from "./zone-tokens.ts";

export type ServiceParameter = SvcbRdata["parameters"][number];

/** RFC 9460 §14.3.2, RFC 9461 §5, RFC 9540 §4; by key number. */
const KEY_NAMES = [
  "mandatory",
  "alpn",
  "no-default-alpn",
  "port",
  "ipv4hint",
  "ech",
  "ipv6hint",
  "dohpath",
  "ohttp",
] as const;

function keyName(key: number): string {
  return KEY_NAMES[key] ?? `key${key}`;
}

function keyNumber(name: string): number | undefined {
  const known = (KEY_NAMES as readonly string[]).indexOf(name);
  if (known >= 0) return known;
  const digits = /^key(0|[1-9]\d{0,4})$/.exec(name)?.[1];
  return digits !== undefined && Number(digits) <= 65_535 ? Number(digits) : undefined;
}

/** By name where the octets have the shape of that key, else as `keyNNN` with the octets as they are. */
export function formatServiceParameter({ key, value }: ServiceParameter): string {
  const name = KEY_NAMES[key];
  const shown = name === undefined ? undefined : formatValue(name, value);
  if (name !== undefined && shown !== undefined) return shown === "" ? name : `${name}=${shown}`;
  return value.length === 0 ? `key${key}` : `key${key}=${quoteText(octetString(value))}`;
}

function formatValue(name: (typeof KEY_NAMES)[number], value: Uint8Array): string | undefined {
  switch (name) {
    case "mandatory": {
      if (value.length === 0 || value.length % 2 === 1) return undefined;
      const keys = pairs(value);
      return keys.every((key, at) => key !== 0 && (at === 0 || key > keys[at - 1]!))
        ? keys.map(keyName).join(",")
        : undefined;
    }
    case "alpn": {
      const ids = readProtocolIds(value);
      return ids && quoteText(ids.map((id) => id.replace(/[\\,]/g, "\\$&")).join(","));
    }
    case "no-default-alpn":
    case "ohttp":
      return value.length === 0 ? "" : undefined;
    case "port":
      return value.length === 2 ? String(pairs(value)[0]) : undefined;
    case "ipv4hint":
      return formatHints(value, 4);
    case "ipv6hint":
      return formatHints(value, 16);
    case "ech":
      return value.length === 0 ? undefined : Buffer.from(value).toString("base64");
    case "dohpath":
      return value.length === 0 ? undefined : quoteText(octetString(value));
    default:
      return name satisfies never;
  }
}

/**
 * Reads one parameter from its name and its unescaped value (undefined where there is no "="). `keyNNN`
 * takes any octets, even for keys that have a name.
 */
export function parseServiceParameter(name: string, text: OctetString | undefined): Parsed<ServiceParameter> {
  const key = keyNumber(name);
  if (key === undefined) return { ok: false, problem: `"${name}" is not a service parameter` };
  const value =
    name in { "no-default-alpn": 1, ohttp: 1 } ? parseNothing(name, text) : parseValue(name, text ?? "");
  if (!value.ok) return value;
  return value.value.length <= 0xffff
    ? { ok: true, value: { key, value: value.value } }
    : { ok: false, problem: `${name} has ${value.value.length} octets; 65535 are allowed` };
}

function parseNothing(name: string, text: OctetString | undefined): Parsed<Uint8Array> {
  return text === undefined
    ? { ok: true, value: new Uint8Array() }
    : { ok: false, problem: `${name} takes no value` };
}

function parseValue(name: string, text: OctetString): Parsed<Uint8Array> {
  const generic = name.startsWith("key");
  if (text === "" && !generic) return { ok: false, problem: `${name} needs a value` };
  switch (name) {
    case "mandatory":
      return parseMandatory(text);
    case "alpn":
      return parseProtocolIds(text);
    case "port":
      return /^\d{1,5}$/.test(text) && Number(text) <= 65_535
        ? { ok: true, value: unpaired([Number(text)]) }
        : { ok: false, problem: `"${text}" is not a port` };
    case "ipv4hint":
      return parseHints(text, 4);
    case "ipv6hint":
      return parseHints(text, 6);
    case "ech":
      return /^([A-Za-z0-9+/]{4})+$|^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)$/.test(text)
        ? { ok: true, value: Uint8Array.from(Buffer.from(text, "base64")) }
        : { ok: false, problem: "ech is not base64" };
    default:
      return { ok: true, value: Uint8Array.from(text, (char) => char.charCodeAt(0)) };
  }
}

/** RFC 9460 §8: each key once, never "mandatory" itself; on the wire in ascending order. */
function parseMandatory(text: string): Parsed<Uint8Array> {
  const keys: number[] = [];
  for (const name of text.split(",")) {
    const key = keyNumber(name);
    if (key === undefined || key === 0) return { ok: false, problem: `"${name}" cannot be mandatory` };
    if (keys.includes(key)) return { ok: false, problem: `"${name}" is mandatory twice` };
    keys.push(key);
  }
  return { ok: true, value: unpaired(keys.sort((x, y) => x - y)) };
}

/** RFC 9460 Appendix A.1: a comma parts, `\,` and `\\` stand for themselves. */
function parseProtocolIds(text: OctetString): Parsed<Uint8Array> {
  const ids: string[] = [""];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === ",") ids.push("");
    else ids.push(ids.pop()! + (text[at] === "\\" ? (text[++at] ?? "") : text[at]!));
  }
  const octets: number[] = [];
  for (const id of ids) {
    if (id.length < 1 || id.length > 255) {
      return { ok: false, problem: `a protocol of ${id.length} octets in alpn; 1 to 255 are allowed` };
    }
    octets.push(id.length, ...Array.from(id, (char) => char.charCodeAt(0)));
  }
  return { ok: true, value: Uint8Array.from(octets) };
}

function readProtocolIds(value: Uint8Array): string[] | undefined {
  const ids: string[] = [];
  for (let at = 0; at < value.length; at += 1 + value[at]!) {
    const id = value.subarray(at + 1, at + 1 + value[at]!);
    if (id.length === 0 || id.length !== value[at]) return undefined;
    ids.push(octetString(id));
  }
  return ids.length === 0 ? undefined : ids;
}

function parseHints(text: string, family: Family): Parsed<Uint8Array> {
  const octets: number[] = [];
  for (const part of text.split(",")) {
    const address = parseAddress(part);
    if (!address.ok) return address;
    if (address.value.family !== family) {
      return { ok: false, problem: `"${part}" is not an IPv${family} address` };
    }
    octets.push(...address.value.octets);
  }
  return { ok: true, value: Uint8Array.from(octets) };
}

function formatHints(value: Uint8Array, size: 4 | 16): string | undefined {
  if (value.length === 0 || value.length % size !== 0) return undefined;
  return Array.from({ length: value.length / size }, (_, at) =>
    formatAddress(value.subarray(at * size, (at + 1) * size)),
  ).join(",");
}

function pairs(value: Uint8Array): number[] {
  return Array.from({ length: value.length >> 1 }, (_, at) => (value[2 * at]! << 8) | value[2 * at + 1]!);
}

function unpaired(values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

function octetString(value: Uint8Array): OctetString {
  return Buffer.from(value).toString("latin1");
}
