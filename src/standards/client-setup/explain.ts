/** A SRV record in plain words. */
import { ROOT } from "../dns/name.ts";
import type { ExplainedTerm, Explanation } from "../dns/remark.ts";
import { parseSrvText, remarksOnSrv, type SrvLine, serviceOf } from "./srv.ts";

export function explainSrv(text: string): Explanation {
  const title = "SRV record (RFC 2782)";
  const parsed = parseSrvText(text);
  if (parsed.ok) {
    const { owner, data } = parsed.value;
    return { title, terms: termsOf(parsed.value), remarks: remarksOnSrv(owner, data) };
  }
  const message = parsed.problem;
  return {
    title,
    terms: [],
    remarks: [{ code: "srv-syntax", severity: "error", message, reference: "RFC 2782" }],
  };
}

function termsOf({ owner, data }: SrvLine): ExplainedTerm[] {
  const known = owner && serviceOf(owner);
  const name = owner && {
    text: owner,
    meaning: known ? `Where to find ${known.title}.` : "A service's name.",
  };
  return [
    ...(name === undefined ? [] : [name]),
    { text: `${data.priority}`, meaning: "Priority: records with lower numbers are tried first." },
    { text: `${data.weight}`, meaning: "Weight: the share among records of the same priority." },
    { text: `${data.port}`, meaning: "The port to connect to." },
    {
      text: data.target,
      meaning: data.target === ROOT ? "The service is not offered." : "The host to connect to.",
    },
  ];
}
