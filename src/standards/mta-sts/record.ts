/** The MTA-STS record (RFC 8461 §3.1): says that a policy exists, and by its id when it last changed. */
import { type DomainName, prepend } from "../dns/name.ts";
import type { Parsed } from "../dns/parsed.ts";
import type { Remark } from "../dns/remark.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";

export interface MtaStsRecord {
  /** 1 to 32 letters and digits; senders fetch the policy again when it changes. */
  readonly id: string;
}

export function mtaStsOwner(domain: DomainName): DomainName {
  return prepend("_mta-sts", domain);
}

/** Texts that begin otherwise are not counted when there are several. */
export function isMtaStsRecord(text: string): boolean {
  return /^v=STSv1[ \t]*;/.test(text);
}

/** Refused is what senders treat as no record at all. */
export function parseMtaStsRecord(text: string): Parsed<MtaStsRecord> {
  const fault = remarksOnMtaStsRecord(text).find(({ severity }) => severity === "error");
  if (fault !== undefined) {
    const { message, offset = 0 } = fault;
    return { ok: false, problem: message, offset };
  }
  return { ok: true, value: { id: fieldsOf(text).find(({ name }) => name === "id")!.value! } };
}

export function formatMtaStsRecord({ id }: MtaStsRecord): string {
  return `v=STSv1; id=${id};`;
}

const fieldsOf = (text: string): readonly Tag[] => splitTags(text).tags.slice(1);

export function remarksOnMtaStsRecord(text: string): Remark[] {
  if (!isMtaStsRecord(text)) {
    const nearly = /^\s*v\s*=\s*STSv1/i.test(text) ? " exactly, in this case and without blanks" : "";
    const message = `an MTA-STS record must begin with "v=STSv1;"${nearly}`;
    return [remark("mta-sts-version", "error", message, { offset: 0 })];
  }
  const fields = fieldsOf(text);
  return [
    ...splitTags(text).emptyAt.map((offset) =>
      remark("mta-sts-syntax", "error", "an empty part between two semicolons makes the record invalid", {
        offset,
      }),
    ),
    ...fields.flatMap(fieldRemarks),
    ...idRemarks(fields, text),
  ];
}

function remark(
  code: string,
  severity: Remark["severity"],
  message: string,
  place: { readonly offset: number; readonly length?: number },
): Remark {
  return { code, severity, message, reference: "RFC 8461 §3.1", ...place };
}

const placeOf = ({ offset, text }: Tag) => ({ offset, length: text.length });

/** sts-extension: no blanks around "=", and a value of printable characters without "=". */
const FIELD = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+$/;

function fieldRemarks(tag: Tag): Remark[] {
  if (tag.name === "id") return [];
  if (!FIELD.test(tag.text)) {
    const message = `"${tag.text}" is not of the form name=value, which makes the record invalid`;
    return [remark("mta-sts-syntax", "error", message, placeOf(tag))];
  }
  const message = `senders ignore the unknown field "${tag.name}"`;
  return [remark("mta-sts-unknown-field", "notice", message, placeOf(tag))];
}

function idRemarks(fields: readonly Tag[], text: string): Remark[] {
  const [id, second] = fields.filter(({ name }) => name === "id");
  if (id === undefined) {
    const message = "id= is required: without it senders see no policy";
    return [remark("mta-sts-id", "error", message, { offset: text.trimEnd().length })];
  }
  const remarks: Remark[] = [];
  if (!/^id=[A-Za-z0-9]{1,32}$/.test(id.text)) {
    const message = `id= takes 1 to 32 letters and digits and nothing else, not "${id.text.slice(3)}"`;
    remarks.push(remark("mta-sts-id", "error", message, placeOf(id)));
  }
  if (second !== undefined) {
    const message = "id= stands twice; only the first counts";
    remarks.push(remark("mta-sts-duplicate-id", "warning", message, placeOf(second)));
  }
  return remarks;
}
