/** Records as the forms of DNS hosts want them: Type, Name, Priority, Value, with the name written in the host's way (R2, R18). */
import { absolute, type DomainName, isWithin, parseDomainName, ROOT } from "../standards/dns/name.ts";
import type { Parsed } from "../standards/dns/parsed.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { octetsToText, type Rdata, type ResourceRecord, txtText, typeOf } from "../standards/dns/record.ts";
import { renderTxt, type TxtStyle } from "../standards/dns/txt-rendering.ts";

/**
 * How a form names a record in the zone example.org: `at` (mail, @), `blank` (mail, nothing),
 * `full` (mail.example.org), `dotted` (mail.example.org.).
 */
export type NameStyle = "at" | "blank" | "full" | "dotted";
export const NAME_STYLES: readonly NameStyle[] = ["at", "blank", "full", "dotted"];

/** Undefined where the name does not lie in the zone. */
export function formName(name: DomainName, zone: DomainName, style: NameStyle): string | undefined {
  if (!isWithin(name, zone)) return undefined;
  if (style === "full") return name;
  if (style === "dotted") return absolute(name);
  if (name === zone) return style === "at" ? "@" : "";
  return zone === ROOT ? name : name.slice(0, -zone.length - 1);
}

/** What a form's name field stands for in the zone; the inverse of `formName`. */
export function parseFormName(text: string, zone: DomainName, style: NameStyle): Parsed<DomainName> {
  if (style === "full" || style === "dotted") return parseDomainName(text);
  if (text === (style === "at" ? "@" : "")) return { ok: true, value: zone };
  return parseDomainName(zone === ROOT ? text : `${text}.${zone}`);
}

export interface FormFields {
  readonly type: string;
  readonly name: string;
  /** MX preference or SRV priority, which many forms ask for apart. */
  readonly priority?: number;
  /** What goes into the value field: no final dot; TXT in one piece without quotes, unless the form wants it otherwise. */
  readonly value: string;
  readonly ttlSeconds: number;
}

/** `zone` undefined: the name is written in full (a reverse name, say). `txt`: how the form wants TXT data (R48). */
export function formFields(
  record: ResourceRecord,
  zone: DomainName | undefined,
  style: NameStyle = "at",
  txt: TxtStyle = "raw",
): FormFields {
  const { data } = record;
  const name = (zone && formName(record.name, zone, style)) ?? record.name;
  const fields = { type: typeOf(data), name, ttlSeconds: record.ttlSeconds };
  switch (data.type) {
    case "MX":
      return { ...fields, priority: data.preference, value: data.exchange };
    case "SRV":
      return { ...fields, priority: data.priority, value: `${data.weight} ${data.port} ${data.target}` };
    default:
      return { ...fields, value: formValue(data, txt) };
  }
}

function formValue(data: Rdata, txt: TxtStyle): string {
  switch (data.type) {
    case "TXT":
    case "SPF":
      return txt === "raw" ? octetsToText(txtText(data)) : renderTxt(txtText(data), txt);
    case "NS":
    case "CNAME":
    case "DNAME":
    case "PTR":
      return data.target;
    default:
      return formatRdata(data);
  }
}

/** "MX | @ | 10 | mail.example.com": the fields on one line, a missing priority left out (R2). */
export function formLine(fields: FormFields): string {
  const priority = fields.priority === undefined ? [] : [String(fields.priority)];
  return [fields.type, fields.name, ...priority, fields.value].join(" | ");
}
