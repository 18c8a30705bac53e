/** Any record that this project knows, put into words: finds out what a text is, and lets its standard explain it. */
import { explainBimi } from "../standards/bimi/explain.ts";
import { explainCaa } from "../standards/caa/explain.ts";
import { explainSrv } from "../standards/client-setup/explain.ts";
import { explainTlsa } from "../standards/dane/explain.ts";
import { explainDkimKey } from "../standards/dkim/explain.ts";
import { looksLikeDkimKey } from "../standards/dkim/key-record.ts";
import { explainDmarc } from "../standards/dmarc/explain.ts";
import { looksLikeDmarc } from "../standards/dmarc/remarks.ts";
import type { Explanation } from "../standards/dns/remark.ts";
import { readTxt } from "../standards/dns/txt-rendering.ts";
import { explainMtaStsRecord, explainPolicy } from "../standards/mta-sts/explain.ts";
import { explainSpf } from "../standards/spf/explain.ts";
import { looksLikeSpf } from "../standards/spf/remarks.ts";
import { explainTlsRpt } from "../standards/tls-rpt/explain.ts";

interface Kind {
  readonly recognises: (text: string) => boolean;
  readonly explain: (text: string) => Explanation;
}

/** The certain before the likely. */
const KINDS: readonly Kind[] = [
  { recognises: (text) => /^version:\s*STSv1/i.test(text), explain: explainPolicy },
  { recognises: (text) => /(?:^|\s)SRV(?:\s+[0-9]{1,5}){3}\s+\S+$/i.test(text), explain: explainSrv },
  { recognises: (text) => /^\s*v\s*=\s*STSv1/i.test(text), explain: explainMtaStsRecord },
  { recognises: (text) => /^\s*v\s*=\s*TLSRPTv1/i.test(text), explain: explainTlsRpt },
  { recognises: (text) => /^\s*v\s*=\s*BIMI1/i.test(text), explain: explainBimi },
  {
    recognises: (text) => /^\s*[0-9]{1,3}\s+[0-9]{1,3}\s+[0-9]{1,3}\s+[0-9a-f\s]+$/i.test(text),
    explain: explainTlsa,
  },
  { recognises: (text) => /^\s*[0-9]{1,3}\s+[a-z0-9]+\s+\S/i.test(text), explain: explainCaa },
  { recognises: looksLikeDmarc, explain: explainDmarc },
  { recognises: looksLikeSpf, explain: explainSpf },
  { recognises: looksLikeDkimKey, explain: explainDkimKey },
];

/**
 * Undefined where the text is no record that is known here. What stands around the data where people copy it
 * from (quotes, the whole zone line, a line of dig's answer) is read away.
 */
export function explainRecord(text: string): Explanation | undefined {
  const bare = text.trim();
  const unquoted = readTxt(text).value;
  const readings = /^[("]/.test(bare) ? [unquoted] : [bare, unquoted, bare.replace(ZONE_LINE_HEAD, "")];
  for (const reading of readings) {
    const kind = KINDS.find(({ recognises }) => recognises(reading));
    if (kind !== undefined) return kind.explain(reading);
  }
  return undefined;
}

/** Owner, TTL, class and type, for the types whose data is not in quotes as a whole. */
const ZONE_LINE_HEAD = /^[^\s"();]+\s+(?:\d+\s+)?(?:IN\s+)?(?:\d+\s+)?(?:TLSA|CAA)\s+/i;
