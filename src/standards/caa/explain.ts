/** A CAA record in plain words. */
import type { ExplainedTerm, Explanation } from "../dns/remark.ts";
import { type CaaProperty, type IssuerProperty, parseCaaText, readCaaProperty } from "./record.ts";
import { remarksOnCaaText } from "./remarks.ts";

export function explainCaa(text: string): Explanation {
  const parsed = parseCaaText(text);
  const remarks = remarksOnCaaText(text);
  if (!parsed.ok) return { title: "CAA record (RFC 8659)", terms: [], remarks };
  const { flags, tag, value } = parsed.value;
  const property = readCaaProperty(parsed.value);
  const terms: ExplainedTerm[] = [
    {
      text: `${flags}`,
      meaning: property.critical
        ? "Critical: authorities that do not know the tag must not issue."
        : "Not critical: authorities that do not know the tag ignore the record.",
    },
    { text: tag, meaning: tagMeaning(property) },
    { text: value, meaning: valueMeaning(property) },
  ];
  return { title: "CAA record (RFC 8659)", terms, remarks };
}

function tagMeaning(property: CaaProperty): string {
  switch (property.kind) {
    case "issuer":
      return TAG_MEANINGS[property.tag];
    case "iodef":
      return "Where authorities report requests that they had to refuse.";
    case "other":
      return "A tag for another purpose, or an unknown one.";
    default:
      return property satisfies never;
  }
}

const TAG_MEANINGS: Readonly<Record<IssuerProperty["tag"], string>> = {
  issue: "Who may issue certificates for the name and, without an issuewild, for wildcards.",
  issuewild: "Who may issue wildcard certificates; issue does not count for these any more.",
  issuemail: "Who may issue certificates for mail addresses (S/MIME, RFC 9495).",
};

function valueMeaning(property: CaaProperty): string {
  switch (property.kind) {
    case "issuer":
      return [
        `${property.issuerDomain ?? "Nobody"} may issue${property.isMalformed ? ", since the value is broken" : ""}.`,
        ...property.parameters.map(parameterMeaning),
      ].join(" ");
    case "iodef":
      return `Reports go to ${property.url}.`;
    case "other":
      return "Means what the tag's own definition says.";
    default:
      return property satisfies never;
  }
}

function parameterMeaning({ name, value }: { name: string; value: string }): string {
  switch (name) {
    case "accounturi":
      return `Only for the account ${value}.`;
    case "validationmethods":
      return `Only after validation by ${value.split(",").join(" or ")}.`;
    default:
      return `The authority reads ${name}=${value} in its own way.`;
  }
}
