/** What people write into SPF records that is not SPF, recognised so that the remedy can be named. */
import { octetsToText } from "../dns/record.ts";

interface Mistake {
  readonly pattern: RegExp;
  readonly remedy: (term: string) => string;
}

/** First match wins, so the particular stands before the general. */
const MISTAKES: readonly Mistake[] = [
  {
    pattern: /^v=spf1/i,
    remedy: () =>
      "a second record was pasted into this one; keep one v=spf1, and put both records' terms behind it",
  },
  {
    pattern: /["'“”„‟‘’‚«»]/u,
    remedy: () =>
      "quotation marks do not belong into the value; they came from a zone file or a word processor",
  },
  {
    pattern: /[\t\r\n\u00a0\u2000-\u200b\u3000\ufeff]/u,
    remedy: () => "terms are separated by plain spaces only, not by tabs, line breaks or special blanks",
  },
  {
    pattern: /^[-+?~]?ipv?4?6?:?\/\//i,
    remedy: () => "write ip4: or ip6: and the address, without slashes in front",
  },
  {
    pattern: /^[-+?~]?ipv[46]?[:=]/i,
    remedy: (term) => `write "${term.replace(/ipv([46]?)[:=]/i, (_, n: string) => `ip${n || "4"}:`)}"`,
  },
  {
    pattern: /^[-+?~]?ip:/i,
    remedy: (term) => `write "${term.replace(/ip:/i, term.split(":").length > 2 ? "ip6:" : "ip4:")}"`,
  },
  {
    pattern: /^[-+?~]?ip[46]:.*\d(?=(?:include|redirect|exists|mx|ptr|a|ip[46])[:=]|[-+?~]?all$)/i,
    remedy: (term) =>
      `a space is missing: "${term.replace(/(\d)(?=(?:include|redirect|exists|mx|ptr|a|ip[46])[:=]|[-+?~]?all$)/i, "$1 ")}"`,
  },
  {
    pattern: /^[^:=]+[:=].*[~?]all$/i,
    remedy: (term) => `a space is missing: "${term.replace(/(?=[~?]all$)/i, " ")}"`,
  },
  {
    pattern: /[,;]/,
    remedy: () => "terms are separated by spaces; commas and semicolons do not belong here",
  },
  {
    pattern: /^[-+?~]?ip4:\d+\.\d+\.\d+\.\d+\/\d+\.\d+\.\d+\.\d+$/i,
    remedy: () => "write the length of the network, such as /24, instead of a net mask",
  },
  {
    pattern: /^[-+?~]?ip4:(\d{1,3}\.){1,2}\d{1,3}\.?(\/\d+)?$/i,
    remedy: () => "an IPv4 network has four numbers: 192.0.2.0/24, not 192.0.2",
  },
  {
    pattern: /^[-+?~]?ip4:[^/]*:[0-9a-f:]*(\/\d+)?$/i,
    remedy: (term) =>
      /ip4:\d+(\.\d+){3}:\d+$/i.test(term)
        ? "a port has no place in SPF"
        : `this is an IPv6 address: write "${term.replace(/ip4/i, "ip6")}"`,
  },
  {
    pattern: /^[-+?~]?ip6:\d+(\.\d+){3}(\/\d+)?$/i,
    remedy: (term) => `this is an IPv4 address: write "${term.replace(/ip6/i, "ip4")}"`,
  },
  {
    pattern: /^[-+?~]?ip[46]:.*[g-z]/i,
    remedy: (term) => `a host name needs a: "${term.replace(/ip[46]:/i, "a:")}"`,
  },
  {
    pattern: /^[-+?~]?(?:a|mx|include|exists|redirect)[:=]\d+(\.\d+){3}(\/\d+)?$/i,
    remedy: (term) =>
      `an address stands where a name belongs: write "${term.replace(/[a-z]+[:=]/i, "ip4:")}"`,
  },
  {
    pattern: /^[-+?~]?(?:a|mx|include|exists|redirect)[:=](?=[0-9a-f:]*:)[0-9a-f:]+(\/\d+)?$/i,
    remedy: (term) =>
      `an address stands where a name belongs: write "${term.replace(/[a-z]+[:=]/i, "ip6:")}"`,
  },
  {
    pattern: /^[-+?~]?\d+(\.\d+){3}(\/\d+)?$/,
    remedy: (term) => `an address needs ip4: in front: "${term.replace(/(?=\d)/, "ip4:")}"`,
  },
  {
    pattern: /^[-+?~]?include$/i,
    remedy: () => 'include needs ":" and the name directly behind it, without a space',
  },
  {
    pattern: /^[-+?~]?(?:a|mx|include|exists|ptr|ip4|ip6):$/i,
    remedy: () => 'the value must follow the ":" without a space',
  },
  { pattern: /^(redirect|exp):/i, remedy: (term) => `write "${term.replace(":", "=")}"` },
  { pattern: /^[-+?~](redirect|exp)=/i, remedy: (term) => `write "${term.slice(1)}"` },
  {
    pattern: /^[-+?~]$/,
    remedy: (term) => `"${term}" belongs directly in front of its mechanism, as in "${term}all"`,
  },
  { pattern: /^[-+?~]?all[.:/]/i, remedy: (term) => `write "${term.replace(/all.*$/i, "all")}"` },
  { pattern: /https?:\/\//i, remedy: () => "SPF names hosts and domains, not web addresses" },
  {
    pattern: /^[\u2010-\u2015\u2212]/u,
    remedy: () => "this is a dash from a word processor; write a plain hyphen",
  },
  {
    pattern: /^[-+?~]?[a-z0-9_-]+(\.[a-z0-9-]+)+\.?$/i,
    remedy: (term) =>
      `a name needs a mechanism in front: "a:${term}" for a host, "include:${term}" for a domain`,
  },
];

/** How to put a broken term right, for the mistakes that are often made. */
export function remedyFor(term: string): string | undefined {
  const text = octetsToText(term);
  return MISTAKES.find(({ pattern }) => pattern.test(text))?.remedy(text);
}

/** What keeps a text that means to be an SPF record from being one (RFC 7208 §4.5); undefined for other texts. */
export function versionMistake(octets: string): string | undefined {
  const text = octetsToText(octets);
  if (/^v=spf1[;,]/i.test(text)) return "a space must follow v=spf1, without a semicolon or comma";
  if (/^\s+v=spf1/i.test(text)) return "blanks stand in front of v=spf1";
  if (/^["'“”„\\]+\s*v=spf1/iu.test(text)) return "quotation marks stand in front of v=spf1";
  if (/^v\s*=\s*spf1/i.test(text))
    return "there may be no space within v=spf1, and a plain one must follow it";
  if (/^v[=:]?\s*"?spf[ -]?[0-9.]*/i.test(text) || /^spf[12]/i.test(text))
    return "the record must begin with v=spf1";
  return undefined;
}
