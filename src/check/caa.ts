/** CAA: which authorities may issue for the names that mail needs certificates for. */
import { lookupRelevantCaa } from "../standards/caa/lookup.ts";
import { remarksOnCaa, remarksOnCaaSet } from "../standards/caa/remarks.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";

export async function checkCaa(context: Context): Promise<Finding[]> {
  const { domain } = context;
  const relevant = await lookupRelevantCaa(domain, context);
  if (relevant.status === "unknown") return [context.unknown(domain, "CAA", relevant)];
  if (relevant.status === "absent") {
    return [
      context.finding("caa-missing", {
        owner: domain,
        observed: "no CAA: any authority may issue certificates",
        verify: "CAA",
      }),
    ];
  }
  const { owner, records } = relevant;
  const all = records.map((data) => formatRdata(data)).join(", ");
  const findings = [
    ...records.flatMap((data) =>
      remarksOnCaa(data).map((remark) =>
        context.remark(remark, { owner, text: formatRdata(data), verify: "CAA" }),
      ),
    ),
    ...remarksOnCaaSet(records).map((remark) => context.remark(remark, { owner, text: all, verify: "CAA" })),
  ];
  if (findings.every(({ severity }) => severity === "notice")) {
    findings.push(context.finding("caa-ok", { owner, observed: all, verify: "CAA" }));
  }
  return findings;
}
