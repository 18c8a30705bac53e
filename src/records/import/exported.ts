/** Records in JSON: what `zonepost records --json` prints, and lists of a DNS host's API. */
import type { DomainName } from "../../standards/dns/name.ts";
import { readFields, readTypeCell } from "./form-fields.ts";
import type { Known, Reading } from "./reading.ts";
import { readZoneLine } from "./zone-lines.ts";

const MAX_VALUES = 100_000;
const MAX_DEPTH = 8;

/** Undefined where the text is no JSON, or holds no record. */
export function readJson(text: string, known: Known): readonly Reading[] | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const readings = [...objectsIn(parsed)].flatMap((object) => readObject(object, known) ?? []);
  return readings.length === 0 ? undefined : readings;
}

function* objectsIn(root: unknown): Generator<Readonly<Record<string, unknown>>> {
  const queue: (readonly [unknown, number])[] = [[root, 0]];
  for (let at = 0; at < queue.length && at < MAX_VALUES; at++) {
    const [value, depth] = queue[at]!;
    if (typeof value !== "object" || value === null || depth > MAX_DEPTH) continue;
    if (!Array.isArray(value)) yield value as Readonly<Record<string, unknown>>;
    // The fields of a form inside of a record are the same record once more.
    for (const [key, inner] of Object.entries(value)) {
      if (key !== "form" && queue.length < MAX_VALUES) queue.push([inner, depth + 1]);
    }
  }
}

function readObject(object: Readonly<Record<string, unknown>>, known: Known): Reading | undefined {
  const text = (key: string) => {
    const value = Object.hasOwn(object, key) ? object[key] : undefined;
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
  const zoneText = text("zoneText");
  if (zoneText !== undefined) return readZoneLine([zoneText], 0, { ...known, ttlSeconds: undefined });
  const type = readTypeCell(text("type") ?? "");
  const value = text("value") ?? text("content") ?? text("data");
  const name = text("name") ?? text("owner");
  if (type === undefined || value === undefined || name === undefined) return undefined;
  const fields = { type, name, value, priority: text("priority"), ttl: text("ttl") ?? text("ttlSeconds") };
  return readFields(fields, known.zone satisfies DomainName | undefined, 0, 1, "json");
}
