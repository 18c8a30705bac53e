/** MTA-STS and TLS reports: their records in DNS. */

import { policyHost } from "../standards/mta-sts/policy.ts";
import { isMtaStsRecord, mtaStsOwner, remarksOnMtaStsRecord } from "../standards/mta-sts/record.ts";
import { isTlsRptRecord, remarksOnTlsRpt, tlsRptOwner } from "../standards/tls-rpt/record.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";
import { policyFindings } from "./mta-sts-policy.ts";
import { mailHosts } from "./mx.ts";
import { checkVersionedTxt } from "./versioned-txt.ts";

export async function checkMtaSts(context: Context): Promise<Finding[]> {
  const { domain } = context;
  if (await receivesNothing(context)) return [];
  const { findings, text } = await checkVersionedTxt(
    {
      owner: mtaStsOwner(domain),
      purpose: "mta-sts",
      isRecord: isMtaStsRecord,
      looksLike: (other) => /stsv1/i.test(other),
      remarksOn: remarksOnMtaStsRecord,
      codes: { ok: "mta-sts-ok", missing: "mta-sts-missing", several: "mta-sts-several-records" },
    },
    context,
  );
  return text === undefined ? findings : [...findings, ...(await policyHostFindings(context))];
}

/** Without an address for the policy host the record promises a policy that nobody can fetch. */
async function policyHostFindings(context: Context): Promise<Finding[]> {
  const host = policyHost(context.domain);
  const [ipv4, ipv6] = await Promise.all([context.lookup(host, "A"), context.lookup(host, "AAAA")]);
  if (ipv4.status === "found" || ipv6.status === "found") return policyFindings(context);
  const untold = context.untold(host, ["A", ipv4], ["AAAA", ipv6]);
  if (untold.length > 0) return untold;
  const wanted = context.wanted(host, "mta-sts-host").map(({ record }) => record);
  return [
    context.finding("mta-sts-no-policy-host", {
      owner: host,
      observed: "neither A nor AAAA",
      verify: "A",
      fix: wanted.length > 0 ? await context.fix("Create it.", { create: wanted }) : null,
    }),
  ];
}

export async function checkTlsReports(context: Context): Promise<Finding[]> {
  if (await receivesNothing(context)) return [];
  const { findings } = await checkVersionedTxt(
    {
      owner: tlsRptOwner(context.domain),
      purpose: "tls-rpt",
      isRecord: isTlsRptRecord,
      looksLike: (text) => /tlsrptv1/i.test(text),
      remarksOn: remarksOnTlsRpt,
      codes: { ok: "tls-rpt-ok", missing: "tls-rpt-missing", several: "tls-rpt-several-records" },
    },
    context,
  );
  return findings;
}

async function receivesNothing(context: Context): Promise<boolean> {
  const answer = await context.everywhere(context.domain, "MX");
  return answer.status === "found" && (await mailHosts(context)).length === 0;
}
