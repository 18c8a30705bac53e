/**
 * DNS block lists (RFC 5782). A list counts only while it lists its test entry and not the whole world, and an
 * answer counts only in 127.0.0.0/8 outside of 127.255.255.0/24, by which lists say that this asker may not ask.
 */
import { type IpAddress, parseAddress, reverseName } from "../standards/dns/address.ts";
import { type DomainName, tryPrepend } from "../standards/dns/name.ts";
import { type BlockList, blockListOf } from "./block-lists.ts";
import { type Context, texts } from "./context.ts";
import type { Finding } from "./finding.ts";
import { outbound } from "./reverse.ts";

const MAX_ADDRESSES = 16;
const MAX_LISTS = 32;

export async function checkReputation(context: Context): Promise<Finding[]> {
  const lists = (context.options.blockLists ?? []).slice(0, MAX_LISTS).map(blockListOf);
  if (lists.length === 0) return [];
  const sources = (await outbound(context))
    .map(({ address }) => address)
    .filter((address) => context.special(address) === undefined);
  const addresses = [...new Map(sources.map((address) => [address.text, address])).values()];
  if (addresses.length === 0) return [];
  const results = await Promise.all(
    lists.map((list) => listFindings(list, addresses.slice(0, MAX_ADDRESSES), context)),
  );
  const findings = results.flatMap((result) => result.findings);
  const asked = results.filter(({ usable }) => usable).length;
  if (asked > 0 && !findings.some(({ code }) => code === "dnsbl-listed")) {
    findings.push(
      context.finding("dnsbl-ok", {
        owner: context.domain,
        observed: `${addresses.map(({ text }) => text).join(", ")} on none of ${asked} ${asked === 1 ? "list" : "lists"}`,
        verify: { command: `dig A ${listedName(addresses[0]!, lists[0]!.zone)}` },
      }),
    );
  }
  return findings;
}

type Listing =
  | { readonly status: "listed"; readonly codes: readonly string[] }
  | { readonly status: "clean" }
  /** The list refuses to answer this asker, or answers what no list answers. */
  | { readonly status: "refused"; readonly detail: string }
  | { readonly status: "untold"; readonly detail: string };

async function listFindings(
  list: BlockList,
  addresses: readonly IpAddress[],
  context: Context,
): Promise<{ readonly usable: boolean; readonly findings: Finding[] }> {
  const said = { owner: list.zone, verify: { command: `dig A 2.0.0.127.${list.zone}` } } as const;
  const fault = await sanityFault(list, context);
  if (fault !== undefined) {
    const code = fault.isSilence ? "dnsbl-untold" : "dnsbl-refuses";
    return { usable: false, findings: [context.finding(code, { ...said, observed: fault.text })] };
  }
  const asked = addresses.filter(({ family }) => family === 4 || list.ipv6);
  const findings = await Promise.all(
    asked.map(async (address) => {
      const owner = listedName(address, list.zone);
      const listing = await lookupListing(address, list.zone, context);
      if (listing.status === "clean") return [];
      if (listing.status !== "listed") {
        const code = listing.status === "untold" ? "dnsbl-untold" : "dnsbl-refuses";
        return [context.finding(code, { ...said, observed: `${list.zone}: ${listing.detail}` })];
      }
      const meaning = listing.codes.map((code) => list.meanings[code] ?? code).join("; ");
      return [
        context.finding("dnsbl-listed", {
          owner,
          observed: `${address.text} is on ${list.zone}: ${meaning}${await reasonOf(owner, context)}`,
          verify: { command: `dig A ${owner}` },
          fix: {
            summary: `Find and end the cause first, then ask for removal at ${list.url}; a listing whose cause goes on comes back.`,
            changes: [],
          },
        }),
      ];
    }),
  );
  return { usable: true, findings: findings.flat() };
}

interface Fault {
  readonly text: string;
  /** No answer came at all, so another time may tell more. */
  readonly isSilence: boolean;
}

/** RFC 5782 §5: 127.0.0.2 is always listed, 127.0.0.1 never. */
function sanityFault(list: BlockList, context: Context): Promise<Fault | undefined> {
  return context.shared(`sanity of ${list.zone}`, async () => {
    const [must, mustNot] = await Promise.all([
      lookupListing(TEST_LISTED, list.zone, context),
      lookupListing(TEST_CLEAN, list.zone, context),
    ]);
    const fault = (text: string, isSilence = false): Fault => ({ text: `${list.zone} ${text}`, isSilence });
    if (must.status === "untold") return fault(`gave no answer: ${must.detail}`, true);
    if (must.status === "refused") return fault(`answers ${must.detail}`);
    if (must.status === "clean") return fault("does not list 127.0.0.2, as every working list does");
    if (mustNot.status === "untold") return fault(`gave no answer: ${mustNot.detail}`, true);
    if (mustNot.status === "listed")
      return fault("lists 127.0.0.1 and so the whole world: it is out of service");
    return undefined;
  });
}

const TEST_LISTED = testAddress("127.0.0.2");
const TEST_CLEAN = testAddress("127.0.0.1");

function testAddress(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new TypeError(parsed.problem);
  return parsed.value;
}

async function lookupListing(address: IpAddress, zone: DomainName, context: Context): Promise<Listing> {
  const name = listedName(address, zone);
  const answer = await context.lookup(name, "A");
  if (answer.status === "absent") return { status: "clean" };
  if (answer.status === "unknown") return { status: "untold", detail: `${answer.cause}: ${answer.detail}` };
  const codes = answer.records.map(({ data }) => data.address);
  const refusal = codes.find((code) => code.startsWith("127.255.255."));
  if (refusal !== undefined) return { status: "refused", detail: refusalText(refusal) };
  const strange = codes.find((code) => !code.startsWith("127."));
  if (strange !== undefined) {
    return {
      status: "refused",
      detail: `${strange}, which no list does: somebody rewrites the answers`,
    };
  }
  return { status: "listed", codes };
}

/** What operators of lists have agreed on for askers that they turn away. */
function refusalText(code: string): string {
  switch (code) {
    case "127.255.255.252":
      return `${code}: the name of the list is written wrongly`;
    case "127.255.255.254":
      return `${code}: the list does not answer questions that come through a public or nameless resolver`;
    case "127.255.255.255":
      return `${code}: too many questions came from here`;
    default:
      return `${code}: the list refuses to answer from here`;
  }
}

/** RFC 5782 §2.1, §2.4: the address backwards, in front of the list's zone. */
function listedName(address: IpAddress, zone: DomainName): DomainName {
  const reversed = reverseName(address).replace(/\.(in-addr|ip6)\.arpa$/, "");
  return tryPrepend(reversed, zone) ?? zone;
}

/** RFC 5782 §2.1: lists say why in TXT. */
async function reasonOf(owner: DomainName, context: Context): Promise<string> {
  const [reason] = texts(await context.lookup(owner, "TXT"));
  return reason === undefined ? "" : ` (${reason.text.slice(0, 200)})`;
}
