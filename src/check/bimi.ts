/** BIMI: the logo's record, and the DMARC policy without which nobody shows it. */
import { isBimiRecord, remarksOnBimi } from "../standards/bimi/record.ts";
import { discoverDmarc } from "../standards/dmarc/tree-walk.ts";
import { prepend } from "../standards/dns/name.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";
import { checkVersionedTxt } from "./versioned-txt.ts";

export async function checkBimi(context: Context): Promise<Finding[]> {
  const owner = prepend("default._bimi", context.domain);
  const { findings, text } = await checkVersionedTxt(
    {
      owner,
      purpose: "bimi",
      isRecord: isBimiRecord,
      looksLike: (other) => /bimi1/i.test(other),
      remarksOn: remarksOnBimi,
      codes: { ok: "bimi-ok", several: "bimi-several-records" },
    },
    context,
  );
  // A logo is nothing that mail needs, so its absence is worth no word.
  if (text === undefined) return findings;
  const dmarc = await discoverDmarc(context.domain, context);
  const enforced =
    dmarc.status === "found" &&
    dmarc.policy !== "none" &&
    dmarc.record.subdomainPolicy !== "none" &&
    !dmarc.record.testing;
  if (enforced) return findings;
  if (dmarc.status === "temperror") {
    const expected = "an enforced DMARC policy";
    return [
      ...findings,
      context.finding("dns-no-answer", { owner, expected, observed: dmarc.problem, verify: "TXT" }),
    ];
  }
  const observed = dmarc.status === "found" ? dmarc.text : "no DMARC policy";
  return [...findings, context.finding("bimi-without-dmarc", { owner, observed, verify: "TXT" })];
}
