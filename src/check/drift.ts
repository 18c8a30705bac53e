/** Published against described, for the records that no check of their own looks after. */

import { derivedOf } from "../records/derived-index.ts";
import type { DerivedRecord, Importance, Purpose } from "../records/derived-record.ts";
import type { DomainName } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import {
  octetsToText,
  type Rdata,
  type RdataOf,
  type ResourceRecord,
  txtText,
  typeOf,
} from "../standards/dns/record.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";
import { hostAddresses } from "./host-addresses.ts";
import type { Severity } from "./severity.ts";

/** MX, addresses, PTR, SPF, DKIM and DMARC have their own comparison. */
const COMPARED_HERE: ReadonlySet<Purpose> = new Set<Purpose>([
  "dkim-revoked",
  "dmarc-report-authorization",
  "mta-sts",
  "mta-sts-host",
  "tls-rpt",
  "tlsa",
  "caa",
  "client-srv",
  "autoconfig",
  "autodiscover",
  "xmpp",
  "verification",
  "delegation",
  "bimi",
]);

const SEVERITY: Readonly<Record<Importance, Severity>> = {
  required: "error",
  "strongly-recommended": "warning",
  optional: "notice",
};

export async function checkDrift(context: Context): Promise<Finding[]> {
  const { derived } = context.options;
  const mine = derived
    ? derivedOf(context.domain, derived).filter(({ purpose }) => COMPARED_HERE.has(purpose))
    : [];
  const found = await Promise.all(mine.map((derived) => compare(derived, context)));
  return found.filter((finding) => finding !== undefined);
}

async function compare(derived: DerivedRecord, context: Context): Promise<Finding | undefined> {
  const { record: wanted, purpose, importance, reason, reference } = derived;
  const type = typeOf(wanted.data);
  const answer = await context.lookup(wanted.name, type);
  if (answer.status === "unknown") return context.unknown(wanted.name, type, answer);
  const records: readonly ResourceRecord[] = answer.status === "found" ? answer.records : [];
  if (records.some(({ data }) => sameData(data, wanted.data))) return undefined;
  if (wanted.data.type === "CNAME" && records.length === 0) {
    const led = await leadsToTheSame(wanted.name, wanted.data, context);
    if (led !== "elsewhere") return led === "same" ? undefined : led;
  }
  const isWantedToo = (data: Rdata) =>
    context.wanted(wanted.name, purpose).some(({ record }) => sameData(data, record.data));
  const rival = records.find(({ data }) => takesThePlaceOf(data, wanted.data, purpose) && !isWantedToo(data));
  const said = {
    owner: wanted.name,
    subject: `${type} ${formatRdata(wanted.data)}`,
    expected: `${type} ${formatRdata(wanted.data)}`,
    verify: type,
    reference,
  } as const;
  if (rival === undefined) {
    return context.finding("record-missing", {
      ...said,
      severity: SEVERITY[importance],
      observed: "no such record",
      why: `The description asks for it: ${reason}.`,
      fix: await context.fix("Create it.", { create: [wanted] }),
    });
  }
  return context.finding("record-differs", {
    ...said,
    severity: importance === "optional" ? "warning" : SEVERITY[importance],
    observed: `${type} ${formatRdata(rival.data)}`,
    why: `The description says otherwise: ${reason}.`,
    fix: await context.fix("Replace it.", { remove: [rival], create: [wanted] }),
  });
}

/** TXT data is what its strings say together, however they are cut. */
function sameData(one: Rdata, other: Rdata): boolean {
  if (one.type === "TXT" && other.type === "TXT") return txtText(one) === txtText(other);
  return formatRdata(one) === formatRdata(other);
}

/** A name that has the addresses of the wanted target itself does the work of a CNAME; a finding where nobody knows. */
async function leadsToTheSame(
  name: DomainName,
  { target }: RdataOf<"CNAME">,
  context: Context,
): Promise<"same" | "elsewhere" | Finding> {
  const [own, theirs] = await Promise.all([hostAddresses(name, context), hostAddresses(target, context)]);
  const [untold] = [...own.untold, ...theirs.untold];
  if (untold !== undefined) return untold;
  const addresses = new Set(theirs.addresses.map(({ text }) => text));
  return own.addresses.length > 0 && own.addresses.every(({ text }) => addresses.has(text))
    ? "same"
    : "elsewhere";
}

/** Whether a published record answers the same question otherwise, rather than standing beside. */
function takesThePlaceOf(published: Rdata, wanted: Rdata, purpose: Purpose): boolean {
  if (published.type === "TXT" && wanted.type === "TXT") {
    if (purpose === "verification") return false;
    return version(published) !== undefined && version(published) === version(wanted);
  }
  if (published.type === "CAA" && wanted.type === "CAA") return false;
  return published.type === wanted.type;
}

/** "v=stsv1" of a versioned record. */
function version(data: Extract<Rdata, { type: "TXT" | "SPF" }>): string | undefined {
  return /^\s*v\s*=\s*([A-Za-z0-9]+)/.exec(octetsToText(txtText(data)))?.[1]?.toLowerCase();
}
