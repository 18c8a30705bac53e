/** A DMARC record in plain words. */
import { octetsToText } from "../dns/record.ts";
import type { ExplainedTerm, Explanation } from "../dns/remark.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";
import {
  type DmarcPolicy,
  knownTag,
  readFailureOptions,
  readLetter,
  readPolicy,
  readUris,
} from "./record.ts";
import { remarksOnDmarcText } from "./remarks.ts";

export function explainDmarc(text: string): Explanation {
  return {
    title: "DMARC record (RFC 9989)",
    terms: splitTags(text).tags.map(explainTag),
    remarks: remarksOnDmarcText(text),
  };
}

function explainTag(tag: Tag): ExplainedTerm {
  return { text: octetsToText(tag.text), meaning: meaningOf(tag) ?? "Not valid; receivers ignore it." };
}

/** Undefined for an invalid value. */
function meaningOf(tag: Tag): string | undefined {
  const value = tag.value ?? "";
  const name = knownTag(tag);
  switch (name) {
    case "v":
      return value === "DMARC1" ? "This TXT record is a DMARC record." : undefined;
    case "p":
      return policyMeaning("Mail from this domain", value);
    case "sp":
      return policyMeaning("Mail from its existing sub-domains", value);
    case "np":
      return policyMeaning("Mail from sub-domains that do not exist", value);
    case "t":
      return choose(value, {
        y: "The policy is being tested: receivers are asked to act one level below it.",
        n: "The policy is meant as it stands (the default).",
      });
    case "psd":
      return choose(value, {
        y: "The domain is a public suffix, under which others register theirs.",
        n: "The domain is the top of its organization, whatever lies above it.",
        u: "Receivers find out themselves where the organization begins (the default).",
      });
    case "adkim":
      return choose(value, {
        s: "A DKIM signature counts only if its d= is exactly the From domain.",
        r: "A DKIM signature counts if its d= is of the same organization (the default).",
      });
    case "aspf":
      return choose(value, {
        s: "SPF counts only if the MAIL FROM domain is exactly the From domain.",
        r: "SPF counts if the MAIL FROM domain is of the same organization (the default).",
      });
    case "rua":
      return destinations("Aggregate reports, daily and by source, go to", value);
    case "ruf":
      return destinations("Failure reports on single messages (sent by few receivers) go to", value);
    case "fo":
      return failureMeaning(value);
    case undefined:
      return "Not a tag of DMARC today; receivers ignore it.";
    default:
      return name satisfies never;
  }
}

const ACTION: Readonly<Record<DmarcPolicy, string>> = {
  none: "is to be handled as usual; the domain only watches",
  quarantine: "is to be treated as suspicious, such as junk",
  reject: "is to be refused",
};

function policyMeaning(subject: string, value: string): string | undefined {
  const policy = readPolicy(value);
  return policy && `${subject} that passes neither SPF nor DKIM in alignment ${ACTION[policy]}.`;
}

function choose<L extends string>(value: string, meanings: Readonly<Record<L, string>>): string | undefined {
  const letter = readLetter(value, Object.keys(meanings) as L[]);
  return letter && meanings[letter];
}

function destinations(what: string, value: string): string | undefined {
  const { uris } = readUris(value);
  return uris.length === 0
    ? undefined
    : `${what} ${uris.map((uri) => uri.replace(/^mailto:/i, "")).join(" and ")}.`;
}

const OCCASION = {
  "0": "when nothing aligned passes (the default)",
  "1": "when SPF or DKIM, either one, does not pass in alignment",
  d: "when a DKIM signature fails",
  s: "when SPF fails",
} as const;

function failureMeaning(value: string): string | undefined {
  const options = readFailureOptions(value);
  return (
    options && `Failure reports are asked for ${options.map((option) => OCCASION[option]).join(", and ")}.`
  );
}
