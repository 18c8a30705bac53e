/**
 * What MTA-STS, TLS-RPT and BIMI have in common: one versioned TXT record at a name of its own. Missing is
 * fine or a notice, several count as none, and what does not belong there is said.
 */
import type { Purpose } from "../records/derived-record.ts";
import type { DomainName } from "../standards/dns/name.ts";
import { txtText } from "../standards/dns/record.ts";
import type { Remark } from "../standards/dns/remark.ts";
import type { FindingCode } from "./catalogue.ts";
import { type Context, type TxtRecord, texts } from "./context.ts";
import type { Finding, Fix } from "./finding.ts";

export interface VersionedTxt {
  readonly owner: DomainName;
  readonly purpose: Purpose;
  readonly isRecord: (text: string) => boolean;
  /** Means to be one, though a receiver would not take it for one. */
  readonly looksLike: (text: string) => boolean;
  readonly remarksOn: (text: string) => readonly Remark[];
  /** `missing` is left out where nobody needs the record. */
  readonly codes: { readonly ok: FindingCode; readonly missing?: FindingCode; readonly several: FindingCode };
}

export async function checkVersionedTxt(
  kind: VersionedTxt,
  context: Context,
): Promise<{ readonly findings: Finding[]; readonly text?: string }> {
  const { owner, codes } = kind;
  const answer = await context.lookup(owner, "TXT");
  if (answer.status === "unknown") return { findings: [context.unknown(owner, "TXT", answer)] };
  const published = texts(answer);
  const records = published.filter(({ text }) => kind.isRecord(text));
  const broken = published.filter(({ text }) => !kind.isRecord(text) && kind.looksLike(text));
  const findings = broken.flatMap(({ text }) =>
    kind.remarksOn(text).map((remark) => context.remark(remark, { owner, text })),
  );
  if (records.length > 1) {
    findings.push(
      context.finding(codes.several, {
        owner,
        observed: records.map(({ text }) => text).join("\n"),
        verify: "TXT",
        fix: await keepWanted(kind, records, context),
      }),
    );
    return { findings };
  }
  const [own] = records;
  if (own === undefined) {
    if (findings.length === 0 && codes.missing !== undefined) {
      findings.push(context.finding(codes.missing, { owner, observed: "no such record", verify: "TXT" }));
    }
    return { findings };
  }
  findings.push(
    ...kind.remarksOn(own.text).map((remark) => context.remark(remark, { owner, text: own.text })),
  );
  if (findings.every(({ severity }) => severity === "notice")) {
    findings.push(context.finding(codes.ok, { owner, observed: own.text, verify: "TXT" }));
  }
  return { findings, text: own.text };
}

/** Which of several is right only the description knows; what it asks for and is not there, checkDrift tells. */
async function keepWanted(
  { owner, purpose }: VersionedTxt,
  records: readonly { readonly text: string; readonly record: TxtRecord }[],
  context: Context,
): Promise<Fix> {
  const wanted = context
    .wanted(owner, purpose)
    .flatMap(({ record: { data } }) => (data.type === "TXT" ? [txtText(data)] : []));
  const remove = records.filter(({ text }) => wanted.length > 0 && !wanted.includes(text));
  return context.fix("Keep the one that is right; several count as none.", {
    remove: remove.map(({ record }) => record),
  });
}
