/** Sentences of tutorials that were true once, or never: each with what holds today. */
import { type PastedRemark, remarkAt } from "./reading.ts";

interface Claim {
  readonly says: RegExp;
  readonly code: string;
  readonly severity: PastedRemark["severity"];
  readonly holds: string;
  readonly reference: string;
}

const CLAIMS: readonly Claim[] = [
  {
    says: /\bRFC ?(?:4871|5672)\b/i,
    code: "pasted-obsolete-standard",
    severity: "notice",
    holds: "the text cites an obsolete standard; DKIM is RFC 6376 today",
    reference: "RFC 6376",
  },
  {
    says: /\bRFC ?(?:4408)\b/i,
    code: "pasted-obsolete-standard",
    severity: "notice",
    holds: "the text cites an obsolete standard; SPF is RFC 7208 today",
    reference: "RFC 7208",
  },
  {
    says: /\bRFC ?7489\b/i,
    code: "pasted-obsolete-standard",
    severity: "notice",
    holds: "the text cites an obsolete standard; DMARC is RFC 9989 today",
    reference: "RFC 9989",
  },
  {
    says: /publish information about their email signing practices|\bADSP\b/i,
    code: "pasted-signing-practices",
    severity: "notice",
    holds: "records of signing practices (ADSP) are historic; what to do with unsigned mail is said by DMARC",
    reference: "RFC 9989 §4",
  },
  {
    says: /\bforensic report/i,
    code: "pasted-forensic-reports",
    severity: "notice",
    holds: "what ruf asks for is called failure reports; few receivers send them",
    reference: "RFC 9991 §1",
  },
  {
    says: /\bbut not v=DMARC1; aspf=|\bp(?:=| tag)? must be (?:the )?second\b/i,
    code: "pasted-tag-order",
    severity: "notice",
    holds: "p may stand anywhere behind v today; older receivers still want it second, so put it there",
    reference: "RFC 9989 §4.7",
  },
  {
    says: /\bhighest priority\b.*\blowest number\b|\blowest number\b.*\bhighest priority\b/i,
    code: "pasted-preference-words",
    severity: "notice",
    holds: "the number of an MX is a preference: the lowest is tried first",
    reference: "RFC 5321 §5.1",
  },
  {
    says: /\bunlikely that a mail server will ever have to use\b|\blow-priority entry\b/i,
    code: "pasted-last-server-trap",
    severity: "warning",
    holds:
      "senders do come to the last MX whenever the first is busy: a server there that takes mail and throws it away loses it, so let it answer 4xx always",
    reference: "RFC 5321 §5.1",
  },
  {
    says: /\ball servers defined in (?:the )?MX record\b/i,
    code: "pasted-mx-sends",
    severity: "notice",
    holds:
      "`mx` covers the servers that receive; where a filtering service receives and another server sends, name the sender's addresses in SPF",
    reference: "RFC 7208 §5.4",
  },
  {
    says: /\bNo MX record was found\b.*\bA \(address\)|\bjust do an A record lookup\b/i,
    code: "pasted-address-fallback",
    severity: "notice",
    holds: "without MX senders use AAAA as well as A, and a null MX (MX 0 .) stops them",
    reference: "RFC 5321 §5.1",
  },
];

const MAX_LINE_CHARACTERS = 5000;

export function remarksOnClaims(lines: readonly string[]): PastedRemark[] {
  return CLAIMS.flatMap(({ says, code, severity, holds, reference }) => {
    const at = lines.findIndex((line) => says.test(line.slice(0, MAX_LINE_CHARACTERS)));
    return at < 0 ? [] : [remarkAt(at, severity, code, holds, reference)];
  });
}
