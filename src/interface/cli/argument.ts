/** Reading what people type: domains, files, numbers; each error says what to type instead. */
import { closest } from "../../records/closest.ts";
import { type Description, type DescriptionProblem, parseDescription } from "../../records/description.ts";
import { type DescriptionPieces, readDescriptionPieces } from "../../records/description-pieces.ts";
import { type DkimSelector, parseDkimSelector } from "../../standards/dkim/selector.ts";
import { type IpNetwork, parseAddress, parseNetwork } from "../../standards/dns/address.ts";
import { type DomainName, parseDomainName } from "../../standards/dns/name.ts";
import { parseRecordType, RECORD_TYPE_NAMES, type RecordType } from "../../standards/dns/record.ts";
import { UsageError } from "./exit-code.ts";
import type { Tools } from "./tools.ts";

/** A domain, an e-mail address (what comes after the @ counts), or a URL. */
export function readDomain(text: string): DomainName {
  const url = /^https?:\/\/([^/:?#]+)/i.exec(text.trim());
  const name = url?.[1] ?? text.trim().slice(text.trim().lastIndexOf("@") + 1);
  if (parseAddress(name).ok)
    throw new UsageError(`"${text}" is an address; a domain belongs here, as in example.org`);
  if (/\s/.test(name)) throw new UsageError(`"${text}" is not a domain name: there is a blank in it`);
  const parsed = parseDomainName(name);
  if (!parsed.ok) throw new UsageError(`"${text}" is not a domain name: ${parsed.problem}`);
  return parsed.value;
}

/** Reads and checks `zonepost.yaml`; every problem with its path, line and hint. */
export function loadDescription(path: string, tools: Tools): Description {
  const result = parseDescription(readFileNamed(path, tools), filesBeside(path, tools));
  if (result.ok) return result.description;
  throw unusable(path, result.problems);
}

/** The same as the store keeps it. */
export function loadDescriptionPieces(path: string, tools: Tools): DescriptionPieces {
  const result = readDescriptionPieces(readFileNamed(path, tools), filesBeside(path, tools));
  if (result.ok) return result.pieces;
  throw unusable(path, result.problems);
}

function filesBeside(path: string, tools: Tools): (file: string) => string {
  const directory = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "";
  return (file) => readFileNamed(file.startsWith("/") ? file : directory + file, tools);
}

function unusable(path: string, problems: readonly DescriptionProblem[]): UsageError {
  const more = problems.length - MAX_SHOWN_PROBLEMS;
  const lines = problems.slice(0, MAX_SHOWN_PROBLEMS).map(({ path: at, line, problem }) => {
    const place = line === undefined ? path : `${path}:${line}`;
    return `${place}: ${at === "" ? "" : `${at}: `}${problem}`;
  });
  return new UsageError([...lines, ...(more > 0 ? [`${path}: and ${more} more`] : [])].join("\n"));
}

/** Enough to work on; one slip of a generator can spoil thousands of domains. */
const MAX_SHOWN_PROBLEMS = 50;

export function readFileNamed(path: string, tools: Tools): string {
  try {
    return tools.readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "you may not read it" : message;
    throw new UsageError(`cannot read ${path}: ${why}`);
  }
}

export function readInteger(text: string, name: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new UsageError(`${name} takes a whole number of ${min} to ${max}, not "${text}"`);
  }
  return value;
}

export function readRecordType(text: string): RecordType {
  const type = parseRecordType(text);
  if (type !== undefined) return type;
  const near = closest(text.toUpperCase(), RECORD_TYPE_NAMES);
  throw new UsageError(`there is no record type "${text}"${near ? `; did you mean ${near}?` : ""}`);
}

/** "192.0.2.1:25", "[2001:db8::1]:25" */
export function readListenAddress(text: string, name: string): { address: string; port: number } {
  const [, bracketed, plain, port = ""] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  const address = parseAddress(bracketed ?? plain ?? "");
  if (!address.ok) {
    throw new UsageError(
      `${name} takes an address and a port, as in 192.0.2.1:25 or [2001:db8::1]:25, not "${text}"`,
    );
  }
  return { address: address.value.text, port: readInteger(port, name, 0, 65_535) };
}

/** "2026-11-21T06:00:00Z": with its zone, or it would be anybody's. */
export function readTime(text: string, name: string): Date {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(text)
    ? new Date(text)
    : undefined;
  if (time === undefined || Number.isNaN(time.getTime())) {
    throw new UsageError(`${name} takes times as in 2026-11-21T06:00:00Z, not "${text}"`);
  }
  return time;
}

export function readSelector(text: string): DkimSelector {
  const selector = parseDkimSelector(text);
  if (!selector.ok) throw new UsageError(`--selector: ${selector.problem}`);
  return selector.value;
}

export function readNetworks(option: string, texts: readonly string[]): IpNetwork[] {
  return texts.map((text) => {
    const network = parseNetwork(text);
    if (!network.ok) throw new UsageError(`${option} ${text}: ${network.problem}`);
    return network.value;
  });
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** "90", "30s", "10m", "2h", "1d", in seconds. */
export function readDuration(text: string, name: string, minSeconds = 0): number {
  const [, amount, unit = ""] = /^(\d{1,7}(?:\.\d{1,3})?)([smhd]?)$/.exec(text) ?? [];
  if (amount === undefined) {
    throw new UsageError(`${name} takes a duration, as in 30s, 10m or 2h, not "${text}"`);
  }
  const seconds = Number(amount) * UNIT_SECONDS[unit]!;
  if (seconds < minSeconds) throw new UsageError(`${name} takes ${minSeconds}s or more, not "${text}"`);
  return seconds;
}
