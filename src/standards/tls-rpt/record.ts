/** The TLS reporting record (RFC 8460 §3): where senders report how TLS to a domain's mail servers went. */
import { type DomainName, parseDomainName, prepend } from "../dns/name.ts";
import type { Parsed } from "../dns/parsed.ts";
import type { Remark } from "../dns/remark.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";

export interface TlsRptRecord {
  /** `rua`: mailto: and https: URIs; senders may use any or all of them. */
  readonly aggregateUris: readonly string[];
}

export function tlsRptOwner(domain: DomainName): DomainName {
  return prepend("_smtp._tls", domain);
}

/** Texts that begin otherwise are not counted when there are several. */
export function isTlsRptRecord(text: string): boolean {
  return /^v=TLSRPTv1[ \t]*;/.test(text);
}

/** Refused is what senders treat as no record, or as one that nobody can report to. */
export function parseTlsRptRecord(text: string): Parsed<TlsRptRecord> {
  const fault = remarksOnTlsRpt(text).find(({ code }) => FATAL.has(code));
  if (fault !== undefined) return { ok: false, problem: fault.message, offset: fault.offset ?? 0 };
  const rua = fieldsOf(text).find(({ name }) => name === "rua")!;
  const aggregateUris = destinationsOf(rua).flatMap(({ uri, problem }) =>
    problem === undefined ? [uri] : [],
  );
  return aggregateUris.length > 0
    ? { ok: true, value: { aggregateUris } }
    : { ok: false, problem: "rua= names no usable destination", offset: rua.offset };
}

const FATAL: ReadonlySet<string> = new Set(["tls-rpt-version", "tls-rpt-syntax", "tls-rpt-rua"]);

export function formatTlsRptRecord({ aggregateUris }: TlsRptRecord): string {
  return `v=TLSRPTv1; rua=${aggregateUris.join(",")}`;
}

export const fieldsOf = (text: string): readonly Tag[] => splitTags(text).tags.slice(1);

/** More destinations than this are not read; senders stop much earlier. */
const MAX_URIS = 50;

export interface Destination {
  readonly uri: string;
  /** Undefined where senders can use it. */
  readonly problem: string | undefined;
}

export function destinationsOf({ value = "" }: Tag): Destination[] {
  return value.split(",", MAX_URIS).map((part) => ({ uri: part.trim(), problem: uriProblem(part.trim()) }));
}

function uriProblem(uri: string): string | undefined {
  if (uri === "") return "a destination is empty";
  const written = uri.slice(0, 80);
  if (uri.includes("!")) {
    return `"${written}": "!" must be written %21; size limits as in old DMARC records do not exist here`;
  }
  if (!/^[\x21-\x7e]+$/.test(uri)) return `"${written}": URIs have neither blanks nor letters beyond ASCII`;
  if (/^mailto:/i.test(uri)) {
    const domain = /^mailto:[^@?]+@([^@?]+)(?:\?.*)?$/i.exec(uri)?.[1];
    return domain !== undefined && parseDomainName(domain).ok ? undefined : `"${written}" is no mail address`;
  }
  if (/^https:/i.test(uri)) {
    return URL.canParse(uri) && /^https:\/\//i.test(uri) ? undefined : `"${written}" is no web address`;
  }
  return /^[^:/]+@[^:/]+$/.test(uri)
    ? `"${written}": write mailto: in front of a mail address`
    : `"${written}": reports go to mailto: and https: only`;
}

export function remarksOnTlsRpt(text: string): Remark[] {
  if (!isTlsRptRecord(text)) {
    const nearly = /^\s*v\s*=\s*TLSRPTv1/i.test(text) ? " exactly, in this case and without blanks" : "";
    const message = `a TLS reporting record must begin with "v=TLSRPTv1;"${nearly}`;
    return [remark("tls-rpt-version", "error", message, { offset: 0 })];
  }
  const fields = fieldsOf(text);
  return [
    ...splitTags(text).emptyAt.map((offset) =>
      remark("tls-rpt-syntax", "error", "an empty part between two semicolons makes the record invalid", {
        offset,
      }),
    ),
    ...fields.flatMap(fieldRemarks),
    ...ruaRemarks(fields, text),
  ];
}

function remark(
  code: string,
  severity: Remark["severity"],
  message: string,
  place: { readonly offset: number; readonly length?: number },
): Remark {
  return { code, severity, message, reference: "RFC 8460 §3", ...place };
}

const placeOf = ({ offset, text }: Tag) => ({ offset, length: text.length });

/** tlsrpt-extension: no blanks around "=", and a value of printable characters without "=". */
const FIELD = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+$/;

function fieldRemarks(tag: Tag): Remark[] {
  const isRua = tag.name === "rua";
  if (isRua ? !tag.text.startsWith("rua=") : !FIELD.test(tag.text)) {
    const message = `"${tag.text.slice(0, 60)}" is not of the form name=value, which makes the record invalid`;
    return [remark("tls-rpt-syntax", "error", message, placeOf(tag))];
  }
  if (isRua) return [];
  const message = `senders ignore the unknown field "${tag.name}"`;
  return [remark("tls-rpt-unknown-field", "notice", message, placeOf(tag))];
}

function ruaRemarks(fields: readonly Tag[], text: string): Remark[] {
  const [rua, second] = fields.filter(({ name }) => name === "rua");
  if (rua === undefined) {
    const message = "rua= is required: without it nobody can report";
    return [remark("tls-rpt-rua", "error", message, { offset: text.trimEnd().length })];
  }
  const remarks = destinationsOf(rua).flatMap(({ problem }) =>
    problem === undefined ? [] : [remark("tls-rpt-uri", "error", problem, placeOf(rua))],
  );
  if (second !== undefined) {
    const message = "rua= stands twice; put all destinations into one, with commas between";
    remarks.push(remark("tls-rpt-duplicate-rua", "warning", message, placeOf(second)));
  }
  return remarks;
}
