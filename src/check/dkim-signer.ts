/** What the domain's signers do against what is published: selectors and keys on both sides. */
import { shellWord } from "../records/command.ts";
import type { DomainSigning, SigningKey } from "../records/signer/read-signer.ts";
import { formatDkimKey, parseDkimKey, recordForKey } from "../standards/dkim/key-record.ts";
import {
  type DkimPublicKey,
  describeDkimKey,
  sameDkimKey,
  shortDkimFingerprint,
} from "../standards/dkim/public-key.ts";
import {
  COMMON_DKIM_SELECTORS,
  type DkimSelector,
  dkimOwner,
  parseDkimSelector,
  tryDkimOwner,
} from "../standards/dkim/selector.ts";
import { type DomainName, isWithin, prepend, tryPrepend } from "../standards/dns/name.ts";
import { toCharacterStrings } from "../standards/dns/record.ts";
import { type Context, type TxtRecord, texts } from "./context.ts";
import { type Finding, type Fix, proposed } from "./finding.ts";

export interface SigningUse extends SigningKey {
  /** The signer's configuration. */
  readonly path: string;
}

export type SigningUses = ReadonlyMap<DkimSelector, readonly SigningUse[]>;

/** Once a check: it reads key files. */
function signingOfDomain(context: Context): Promise<readonly DomainSigning[]> {
  const { domain, options } = context;
  return context.shared("signers", async () => (options.signers ?? []).map((signingOf) => signingOf(domain)));
}

/** Who signs with which selector, by selector. */
export async function signingUses(context: Context): Promise<SigningUses> {
  const signing = await signingOfDomain(context);
  const uses = signing.flatMap(({ keys, path }) => keys.map((key) => ({ ...key, path })));
  return Map.groupBy(uses, ({ dkimSelector }) => dkimSelector);
}

const place = ({ place: { path, line } }: SigningUse) => `${path}:${line}`;
const named = (key: DkimPublicKey) => `${describeDkimKey(key)}, fingerprint ${shortDkimFingerprint(key)}`;

/** The selector is in use, and nothing is published for it. */
export async function notPublished(
  uses: readonly SigningUse[],
  owner: DomainName,
  observed: string,
  context: Context,
): Promise<Finding> {
  const key = uses.find((use) => use.key.ok)?.key;
  return context.finding("dkim-signer-not-published", {
    owner,
    expected: `the key that ${uses.map(place).join(", ")} signs with${key?.ok ? ` (${named(key.value)})` : ""}`,
    observed,
    verify: "TXT",
    fix: key?.ok
      ? await publish(key.value, owner, [], context)
      : { summary: "Publish the record that the signer made for this selector.", changes: [] },
  });
}

/** One published key against every signer that uses its selector. */
export async function compareWithSigners(
  uses: readonly SigningUse[],
  published: DkimPublicKey,
  { owner, record }: { readonly owner: DomainName; readonly record: TxtRecord },
  context: Context,
): Promise<Finding[]> {
  return Promise.all(
    uses.map(async (use) => {
      const said = { owner, verify: "TXT" as const };
      if (!use.key.ok) {
        return context.finding("dkim-signer-key-unread", {
          ...said,
          observed: `${place(use)} signs with this selector; its key was not read: ${use.key.problem}`,
        });
      }
      if (sameDkimKey(use.key.value, published)) {
        return context.finding("dkim-signer-ok", {
          ...said,
          observed: `${place(use)} signs with it: ${named(published)}`,
        });
      }
      return context.finding("dkim-signer-key-differs", {
        ...said,
        expected: `${named(use.key.value)}, as ${place(use)} has it`,
        observed: named(published),
        fix: await publish(use.key.value, owner, [record], context),
      });
    }),
  );
}

function publish(
  key: DkimPublicKey,
  owner: DomainName,
  remove: readonly TxtRecord[],
  context: Context,
): Promise<Fix> {
  const strings = toCharacterStrings(formatDkimKey(recordForKey(key)));
  const record = {
    ...proposed(owner, { type: "TXT", strings }),
    ...(remove[0] && { ttlSeconds: remove[0].ttlSeconds }),
  };
  return context.fix("Publish the key that the signer uses.", { remove, create: [record] });
}

/** What can be said of the signers as a whole: no key for this domain, and keys that none of them uses. */
export async function checkSigners(sendsNothing: boolean, context: Context): Promise<Finding[]> {
  const signing = await signingOfDomain(context);
  if (signing.length === 0) return [];
  const uses = await signingUses(context);
  const isWhole = signing.every(({ isComplete }) => isComplete);
  if (uses.size > 0) return isWhole ? unusedSelectors(uses, context) : [];
  const { domain } = context;
  const others = [...new Set(signing.flatMap(({ signedAs }) => signedAs))];
  const aligned = others.filter((other) => areAligned(domain, other, context));
  if (aligned.length > 0) {
    return [
      context.finding("dkim-signer-ok", {
        owner: domain,
        observed: `mail is signed as d=${aligned.join(", ")}`,
        verify: "TXT",
      }),
    ];
  }
  if (sendsNothing) return [];
  const paths = signing.map(({ path }) => path).join(", ");
  const instead =
    others.length === 0 ? "" : `; its mail is signed as d=${others.join(", ")}, which DMARC does not count`;
  return [
    context.finding("dkim-signer-no-domain", {
      owner: domain,
      ...(!isWhole && { severity: "unknown" }),
      observed: isWhole
        ? `${paths} names no key for ${domain}${instead}`
        : `${paths} could not be read whole; what was read names no key for ${domain}${instead}`,
      verify: {
        command: `grep -n ${shellWord(domain)} ${signing.map(({ path }) => shellWord(path)).join(" ")}`,
      },
      fix: {
        summary: `Make a key for ${domain}, publish its record, and name it in the signer's configuration.`,
        changes: [],
      },
    }),
  ];
}

function areAligned(domain: DomainName, other: DomainName, { world }: Context): boolean {
  if (isWithin(domain, other) || isWithin(other, domain)) return true;
  const organization = world.organizationalDomain(domain);
  return organization !== undefined && organization === world.organizationalDomain(other);
}

/** Selectors of the description, and the usual ones, with a key that no signer here uses. */
async function unusedSelectors(
  uses: ReadonlyMap<DkimSelector, unknown>,
  context: Context,
): Promise<Finding[]> {
  const { domain, described } = context;
  const parent = prepend("_domainkey", domain);
  const random = tryPrepend(context.world.randomLabel(), parent);
  // Below a wildcard every selector has a key, and none of them means anything.
  if (random === undefined || (await context.lookup(random, "TXT")).status !== "absent") return [];
  // A key that is an alias belongs to another sender, who has a signer of his own.
  const own = (described?.dkim ?? []).flatMap((key) => ("key" in key ? [key.selector] : []));
  const elsewhere = (described?.dkim ?? []).flatMap((key) => ("cname" in key ? [key.selector] : []));
  const usual = COMMON_DKIM_SELECTORS.flatMap((text) => {
    const parsed = parseDkimSelector(text);
    return parsed.ok && !elsewhere.includes(parsed.value) ? [parsed.value] : [];
  });
  const candidates = [...new Set([...own, ...usual])].filter((selector) => !uses.has(selector));
  const findings = await Promise.all(
    candidates.map(async (selector) => {
      if (tryDkimOwner(selector, domain) === undefined) return [];
      const owner = dkimOwner(selector, domain);
      const isOwn = own.includes(selector);
      const answer = await (isOwn ? context.everywhere(owner, "TXT") : context.lookup(owner, "TXT"));
      const keys = texts(answer).map(({ text }) => parseDkimKey(text));
      const key = keys.find((reading) => reading.status === "valid");
      if (key?.status !== "valid") return [];
      return [
        context.finding("dkim-selector-unused", {
          owner,
          observed: `${named(key.record.key)}${isOwn ? ", of the description" : ""}; the signer uses ${[...uses.keys()].join(", ")}`,
          verify: "TXT",
        }),
      ];
    }),
  );
  return findings.flat();
}
