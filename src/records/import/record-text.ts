/** The text of a record alone, as signers' files and tutorials have it: where it belongs follows from what it is. */
import { looksLikeDkimKey } from "../../standards/dkim/key-record.ts";
import { parseDkimSelector, tryDkimOwner } from "../../standards/dkim/selector.ts";
import { type DomainName, tryPrepend } from "../../standards/dns/name.ts";
import { type OctetString, octetsToText, toCharacterStrings } from "../../standards/dns/record.ts";
import { readTxt } from "../../standards/dns/txt-rendering.ts";
import { LISTING_TTL_SECONDS } from "../zone-listing.ts";
import { isShortened, type Known, type Reading, shortenedRemark } from "./reading.ts";

/** The owner's labels in front of the domain. */
const KINDS: readonly { readonly begins: RegExp; readonly prefix: string }[] = [
  { begins: /^v\s*=\s*spf1(?:\s|$)/i, prefix: "" },
  { begins: /^v\s*=\s*DMARC1\s*\\?;/i, prefix: "_dmarc" },
  { begins: /^v\s*=\s*STSv1\s*\\?;/i, prefix: "_mta-sts" },
  { begins: /^v\s*=\s*TLSRPTv1\s*\\?;/i, prefix: "_smtp._tls" },
  { begins: /^v\s*=\s*BIMI1\s*\\?;/i, prefix: "default._bimi" },
];
/** Strings below each other, as a value is cut into lines. */
const MAX_STRINGS = 64;

export function readRecordText(lines: readonly string[], at: number, known: Known): Reading | undefined {
  const first = lines[at]!.trim().replace(/^`+|`+$/g, "");
  let taken = 1;
  let written = first;
  if (/^\(?\s*["“”„]/.test(first)) {
    while (
      taken < MAX_STRINGS &&
      /^["“”„]/.test(lines[at + taken]?.trim() ?? "") &&
      !begins(lines[at + taken]!)
    ) {
      written += ` ${lines[at + taken]!.trim()}`;
      taken++;
    }
  }
  if (!begins(written)) return undefined;
  const { value, remarks } = readTxt(written);
  const text = octetsToText(value);
  if (isShortened(text)) return { taken, remarks: [shortenedRemark(at)] };
  const reading = placeRecordText(value, at, taken, known);
  const notes = remarks.filter(({ code }) => code !== "txt-escaped-semicolon");
  return { ...reading, remarks: notes.map((note) => ({ ...note, line: at + 1 })) };
}

function begins(line: string): boolean {
  const text = line
    .slice(0, 2000)
    .trim()
    .replace(/^[\s("“”„]+/, "");
  return (
    KINDS.some((kind) => kind.begins.test(text)) || /^v\s*=\s*DKIM1\s*\\?;/i.test(text) || isBareKey(text)
  );
}

const isBareKey = (text: string) => looksLikeDkimKey(text) && /\bp\s*=\s*[A-Za-z0-9+/]{20}/.test(text);

/** The record at its owner, or the question for it. */
export function placeRecordText(value: OctetString, at: number, taken: number, known: Known): Reading {
  const text = octetsToText(value);
  const owner = ownerOf(text, known);
  if (owner === undefined) {
    return { taken, unplaced: [{ line: at + 1, type: "TXT", name: "", value: text }] };
  }
  const data = { type: "TXT", strings: toCharacterStrings(value) } as const;
  const record = { name: owner, ttlSeconds: LISTING_TTL_SECONDS, data };
  return { taken, records: [{ record, line: at + 1, format: "record-text", ttl: "unknown" }] };
}

function ownerOf(text: string, { zone, selector }: Known): DomainName | undefined {
  if (zone === undefined) return undefined;
  const kind = KINDS.find(({ begins: starts }) => starts.test(text));
  if (kind !== undefined) return kind.prefix === "" ? zone : tryPrepend(kind.prefix, zone);
  const parsed = selector === undefined ? undefined : parseDkimSelector(selector);
  return parsed?.ok ? tryDkimOwner(parsed.value, zone) : undefined;
}
