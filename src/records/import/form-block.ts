/** A form written out, a field a line: "Type: MX", "Name: @", "Value: mail.example.org", in any order. */
import { looksLikeDmarc } from "../../standards/dmarc/remarks.ts";
import { looksLikeSpf } from "../../standards/spf/remarks.ts";
import { readFields, readTypeCell } from "./form-fields.ts";
import type { Known, Reading } from "./reading.ts";

type Field = "type" | "name" | "priority" | "value" | "ttl" | "weight" | "port";

const LABELS: Readonly<Record<string, Field>> = {
  type: "type",
  "record type": "type",
  "dns record type": "type",
  name: "name",
  "record name": "name",
  host: "name",
  hostname: "name",
  "host name": "name",
  owner: "name",
  label: "name",
  subdomain: "name",
  priority: "priority",
  preference: "priority",
  value: "value",
  data: "value",
  content: "value",
  contents: "value",
  record: "value",
  "txt value": "value",
  "points to": "value",
  target: "value",
  destination: "value",
  address: "value",
  "ip address": "value",
  "ipv4 address": "value",
  "ipv6 address": "value",
  ip: "value",
  "mail server": "value",
  ttl: "ttl",
  weight: "weight",
  port: "port",
};
const LINE = /^\s*(?:[-*•]\s+)?(?:\*\*)?([A-Za-z][A-Za-z0-9 ]{0,30}?)(?:\*\*)?\s*[:=](?:\*\*)?(?:\s+(.*))?$/;
const MAX_BLOCK_LINES = 24;

export function fieldOfLabel(label: string): Field | undefined {
  const key = label.trim().toLowerCase().replace(/\s+/g, " ");
  return Object.hasOwn(LABELS, key) ? LABELS[key] : undefined;
}

export function readFormBlock(lines: readonly string[], at: number, known: Known): Reading | undefined {
  const fields = new Map<Field, string>();
  let next = at;
  for (; next < lines.length && next - at < MAX_BLOCK_LINES; next++) {
    const line = lines[next]!;
    if (line.trim() === "" && next > at && lines[next - 1]!.trim() !== "") continue;
    const [, label, value] = LINE.exec(line.slice(0, 20_000)) ?? [];
    const field = label === undefined ? undefined : fieldOfLabel(label);
    if (field === undefined || fields.has(field)) break;
    fields.set(field, value?.trim() ?? "");
  }
  const value = fields.get("value");
  if (value === undefined || fields.size < 2) return undefined;
  const type = typeOfBlock(fields.get("type"), value);
  if (type === undefined || (!fields.has("type") && !fields.has("name"))) return undefined;
  const rest = ["weight", "port"].flatMap((field) => fields.get(field as Field) ?? []);
  while (lines[next - 1]?.trim() === "") next--;
  return readFields(
    {
      type,
      name: fields.get("name") ?? "",
      priority: fields.get("priority"),
      value: [...rest, value].join(" "),
      ttl: fields.get("ttl"),
    },
    known.zone,
    at,
    next - at,
    "form",
  );
}

function typeOfBlock(written: string | undefined, value: string) {
  if (written !== undefined) return readTypeCell(written);
  const text = value.replace(/^["`]+/, "");
  return looksLikeSpf(text) || looksLikeDmarc(text) || /^v=DKIM1/.test(text) ? ("TXT" as const) : undefined;
}
