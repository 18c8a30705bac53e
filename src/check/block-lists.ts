/** The DNS block lists that are known by name: what their answers mean, and where to get off them. Others work too. */
import { type DomainName, domainName } from "../standards/dns/name.ts";

export interface BlockList {
  readonly zone: DomainName;
  /** What is listed there, in words, by last octet of the answer; others are "listed". */
  readonly meanings: Readonly<Record<string, string>>;
  /** Where to look and to ask for removal. */
  readonly url: string;
  /** IPv6 addresses are listed there too. */
  readonly ipv6: boolean;
  /** Asked unless the user names lists; the others only when named. */
  readonly usual: boolean;
}

function blockList(
  zone: string,
  url: string,
  more: Partial<Pick<BlockList, "meanings" | "ipv6" | "usual">> = {},
): BlockList {
  return { zone: domainName(zone), url, meanings: {}, ipv6: false, usual: false, ...more };
}

export const BLOCK_LISTS: readonly BlockList[] = [
  blockList("zen.spamhaus.org", "https://check.spamhaus.org/", {
    usual: true,
    ipv6: true,
    meanings: {
      "127.0.0.2": "SBL: spam has come from it",
      "127.0.0.3": "CSS: sends like a spammer, often a wrong HELO or reverse name",
      "127.0.0.4": "XBL: an infected or abused machine",
      "127.0.0.9": "DROP: a network of criminals",
      "127.0.0.10": "PBL: the provider says that no mail comes from here (dial-up, dynamic)",
      "127.0.0.11": "PBL: no mail server is known here (dial-up, dynamic)",
    },
  }),
  blockList("bl.spamcop.net", "https://www.spamcop.net/bl.shtml", { usual: true }),
  blockList("b.barracudacentral.org", "https://www.barracudacentral.org/lookups"),
  blockList("psbl.surriel.com", "https://psbl.org/", { usual: true, ipv6: true }),
  blockList("bl.mailspike.net", "https://mailspike.org/iplookup.html", { usual: true }),
  blockList("dnsbl.dronebl.org", "https://dronebl.org/lookup", { ipv6: true }),
  blockList("dnsbl-1.uceprotect.net", "https://www.uceprotect.net/en/rblcheck.php"),
  blockList("ix.dnsbl.manitu.net", "https://www.nixspam.net/"),
];

/** Those that are asked where the user names none. */
export const USUAL_BLOCK_LISTS: readonly DomainName[] = BLOCK_LISTS.filter(({ usual }) => usual).map(
  ({ zone }) => zone,
);

export function blockListOf(zone: DomainName): BlockList {
  return (
    BLOCK_LISTS.find((known) => known.zone === zone) ?? {
      ...blockList(zone, `https://${zone}/`),
      // Nothing is known of it: it shows by its own test entries.
      ipv6: true,
    }
  );
}
