/** What signing programs print beside records: amavisd's test of its keys, rspamd's settings, and keys in PEM. */

import { formatDkimKey, recordForKey } from "../../standards/dkim/key-record.ts";
import { readDkimPublicKey } from "../../standards/dkim/key-source.ts";
import { parseDkimSelector } from "../../standards/dkim/selector.ts";
import { parseDomainName } from "../../standards/dns/name.ts";
import { type Known, type Reading, remarkAt } from "./reading.ts";
import { placeRecordText } from "./record-text.ts";

/** "TESTING#1: dkim._domainkey.example.org => pass" (R51) */
const TESTED = /^TESTING(?:#\d+)?:\s+(\S+)\s+=>\s+(.+)$/;
const MAX_KEY_LINES = 200;

export function readSignerLine(lines: readonly string[], at: number, known: Known): Reading | undefined {
  const line = lines[at]!.slice(0, 2000).trim();
  const [, owner, result] = TESTED.exec(line) ?? [];
  if (owner !== undefined && result !== undefined) return tested(owner, result, at);
  return readSettings(line) ?? readPem(lines, at, known);
}

function tested(owner: string, result: string, at: number): Reading {
  if (/^pass\b/.test(result)) return { taken: 1 };
  const why = /not available/.test(result)
    ? `there is no key at ${owner}: publish it before the server signs with it`
    : `the key at ${owner} is not the one that the server signs with, or is damaged (${result})`;
  return { taken: 1, remarks: [remarkAt(at, "error", "pasted-test-failed", why, "RFC 6376 §3.6.2")] };
}

/** `selector = "mail";`, `domain = "example.org";`, `example.org {` of rspamd's dkim_signing. */
function readSettings(line: string): Reading | undefined {
  const [, setting, value] = /^(selector|domain)\s*=\s*"?([^\s";]+)"?\s*;?$/i.exec(line) ?? [];
  if (setting?.toLowerCase() === "selector") {
    const selector = parseDkimSelector(value!);
    return selector.ok ? { taken: 1, known: { selector: selector.value } } : undefined;
  }
  const block = setting === undefined ? /^"?([^\s"{}]+\.[^\s"{}]+)"?\s*\{$/.exec(line)?.[1] : value;
  const domain = block === undefined ? undefined : parseDomainName(block);
  return domain?.ok && domain.value.includes(".") ? { taken: 1, known: { zone: domain.value } } : undefined;
}

/** Nothing of a private key is repeated. */
function readPem(lines: readonly string[], at: number, known: Known): Reading | undefined {
  const kind = /^-----BEGIN ([A-Z ]*(?:PUBLIC|PRIVATE) KEY)-----/.exec(lines[at]!.trim())?.[1];
  if (kind === undefined) return undefined;
  const end = lines.slice(at, at + MAX_KEY_LINES).findIndex((line) => line.includes("-----END "));
  const taken = end < 0 ? 1 : end + 1;
  if (kind.includes("PRIVATE")) {
    const message =
      "a private key stands in the text: whoever sees it can sign as you; keep it on the server alone, and make a new one if others saw this";
    return {
      taken,
      remarks: [remarkAt(at, "warning", "pasted-private-key", message, "RFC 6376 §8.3")],
    };
  }
  if (end < 0) {
    const message = "the public key is cut off: its END line is missing";
    return { taken, remarks: [remarkAt(at, "error", "pasted-unreadable", message, "RFC 6376 §3.6.1")] };
  }
  const key = readDkimPublicKey(lines.slice(at, at + taken).join("\n"));
  if (!key.ok) {
    const message = `the public key cannot be read: ${key.problem}`;
    return { taken, remarks: [remarkAt(at, "error", "pasted-unreadable", message, "RFC 6376 §3.6.1")] };
  }
  return placeRecordText(formatDkimKey(recordForKey(key.value)), at, taken, known);
}
