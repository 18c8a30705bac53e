/** DKIM: the key records of the selectors that are known or usual, and keys that stand where nobody looks. */

import { shellWord } from "../records/command.ts";
import {
  type DkimKeyReading,
  looksLikeDkimKey,
  parseDkimKey,
  repairDkimKey,
} from "../standards/dkim/key-record.ts";
import {
  type DkimPublicKey,
  describeDkimKey,
  sameDkimKey,
  shortDkimFingerprint,
} from "../standards/dkim/public-key.ts";
import { remarksOnDkimKey } from "../standards/dkim/remarks.ts";
import {
  COMMON_DKIM_SELECTORS,
  type DkimSelector,
  dkimOwner,
  parseDkimSelector,
  tryDkimOwner,
} from "../standards/dkim/selector.ts";
import { type DomainName, prepend, tryPrepend } from "../standards/dns/name.ts";
import { toCharacterStrings, txtText } from "../standards/dns/record.ts";
import type { Remark } from "../standards/dns/remark.ts";
import type { Answer } from "../standards/dns/resolver.ts";
import { type Context, type TxtRecord, texts } from "./context.ts";
import {
  checkSigners,
  compareWithSigners,
  notPublished,
  type SigningUse,
  type SigningUses,
  signingUses,
} from "./dkim-signer.ts";
import type { Finding, Fix } from "./finding.ts";

interface Selector {
  readonly dkimSelector: DkimSelector;
  /** Named by the description or on the command line: missing is a fault then, not a guess gone wrong. */
  readonly isNamed: boolean;
  /** The key that the signer uses, where the description gives it. */
  readonly key?: DkimPublicKey;
  /** By signers whose configuration is known. */
  readonly uses: readonly SigningUse[];
}

export async function checkDkim(context: Context): Promise<Finding[]> {
  const { domain } = context;
  const { described } = context;
  const named = namedSelectors(await signingUses(context), context);
  const parent = prepend("_domainkey", domain);
  const [top, apex] = await Promise.all([context.lookup(parent, "TXT"), context.everywhere(domain, "TXT")]);
  const ofSigners = await checkSigners(described?.sends === false || (await sendsNothing(context)), context);
  const perSelector = await Promise.all(named.map((selector) => selectorFindings(selector, named, context)));
  const isLost = ({ code }: Finding) => code === "dkim-missing" || code === "dkim-signer-not-published";
  // Where the key is in its place, nobody needs to look for it elsewhere.
  const lost = named.filter((_, at) => perSelector[at]!.some(isLost));
  const misplaced = await misplacedFindings(named, lost, { top, apex }, context);
  // A missing key that stands elsewhere is to be moved, not made anew.
  const found = perSelector.flat().map((finding) => {
    const elsewhere = misplaced.find(({ expected }) => expected === finding.owner);
    return isLost(finding) && elsewhere ? { ...finding, fix: elsewhere.fix } : finding;
  });
  const findings = [...misplaced, ...found, ...ofSigners];
  if (named.length > 0 || described?.sends === false) return findings;
  return [...findings, ...(await usualSelectors(parent, top, findings, context))];
}

function namedSelectors(uses: SigningUses, context: Context): Selector[] {
  const { described } = context;
  const selectors = new Map<DkimSelector, Selector>();
  const usesOf = (selector: DkimSelector) => uses.get(selector) ?? [];
  for (const key of described?.dkim ?? []) {
    selectors.set(key.selector, {
      dkimSelector: key.selector,
      isNamed: true,
      uses: usesOf(key.selector),
      ...("key" in key && { key: key.key }),
    });
  }
  for (const text of [...uses.keys(), ...context.options.dkimSelectors]) {
    const parsed = parseDkimSelector(text);
    if (!parsed.ok || selectors.has(parsed.value)) continue;
    if (tryDkimOwner(parsed.value, context.domain) !== undefined)
      selectors.set(parsed.value, { dkimSelector: parsed.value, isNamed: true, uses: usesOf(parsed.value) });
  }
  return [...selectors.values()];
}

/** Nobody can list the selectors of a domain: the usual ones are tried, unless DNS says that there are none. */
async function usualSelectors(
  parent: DomainName,
  top: Answer<"TXT">,
  found: readonly Finding[],
  context: Context,
): Promise<Finding[]> {
  if (top.status === "unknown") return [context.unknown(parent, "TXT", top)];
  if (top.status === "absent" && top.kind === "nxdomain") return noKeyFindings(parent, found, context);
  const random = tryPrepend(context.world.randomLabel(), parent);
  const wild = random === undefined ? undefined : await context.lookup(random, "TXT");
  // A wildcard that was not seen would make every selector below look like a key of its own.
  if (wild?.status === "unknown") return [context.unknown(parent, "TXT", wild)];
  const [wildText] = wild === undefined ? [] : texts(wild);
  if (wildText !== undefined) {
    const revoked = parseDkimKey(wildText.text).status === "revoked";
    return [
      context.finding(revoked ? "dkim-all-revoked" : "dkim-wildcard", {
        owner: prepend("*", parent),
        observed: `every selector answers ${wildText.text}`,
        verify: { command: `dig TXT ${shellWord(random!)}` },
      }),
    ];
  }
  const usual = COMMON_DKIM_SELECTORS.flatMap((text) => {
    const parsed = parseDkimSelector(text);
    return parsed.ok ? [{ dkimSelector: parsed.value, isNamed: false, uses: [] }] : [];
  });
  const findings = (
    await Promise.all(usual.map((selector) => selectorFindings(selector, usual, context)))
  ).flat();
  const keys = findings.filter(({ severity }) => severity !== "unknown");
  if (keys.length > 0) return keys; // a guess that failed beside one that is right is worth no word
  if (findings.length > 0) return findings;
  return [
    context.finding("dkim-selector-unknown", {
      owner: parent,
      observed: `there are names below ${parent}, but none of the ${usual.length} usual selectors`,
      verify: "TXT",
      fix: {
        summary: "Name yours with --selector; it is s= in the DKIM-Signature of a message that was sent.",
        changes: [],
      },
    }),
  ];
}

/** SPF names nobody who may send. */
async function sendsNothing(context: Context): Promise<boolean> {
  return texts(await context.everywhere(context.domain, "TXT")).some(({ text }) =>
    /^v=spf1\s+-all\s*$/i.test(text),
  );
}

async function noKeyFindings(
  parent: DomainName,
  found: readonly Finding[],
  context: Context,
): Promise<Finding[]> {
  if ((await sendsNothing(context)) || found.some(({ code }) => code === "dkim-wrong-owner")) return []; // sends nothing, or the key is elsewhere
  return [
    context.finding("dkim-no-key", {
      owner: parent,
      observed: `${parent} does not exist, so there is no key below it`,
      verify: "TXT",
      fix: {
        summary: "Let the signer make a key, and publish its record at <selector>._domainkey.",
        changes: [],
      },
    }),
  ];
}

async function selectorFindings(
  selector: Selector,
  all: readonly Selector[],
  context: Context,
): Promise<Finding[]> {
  const owner = dkimOwner(selector.dkimSelector, context.domain);
  const answer = await (selector.isNamed ? context.everywhere(owner, "TXT") : context.lookup(owner, "TXT"));
  if (answer.status === "unknown") return [context.unknown(owner, "TXT", answer)];
  const published = texts(answer);
  if (published.length === 0) {
    if (!selector.isNamed) return [];
    const observed =
      answer.status === "absent" && answer.kind === "nxdomain" ? `${owner} does not exist` : "no TXT record";
    if (selector.uses.length > 0) return [await notPublished(selector.uses, owner, observed, context)];
    return [
      context.finding("dkim-missing", {
        owner,
        observed,
        verify: "TXT",
        fix: await publishKey(selector, [], context),
      }),
    ];
  }
  if (published.length > 1) {
    return [
      context.finding("dkim-several-records", {
        owner,
        observed: published.map(({ text }) => text).join("\n"),
        verify: "TXT",
        fix: await publishKey(
          selector,
          published.map(({ record }) => record),
          context,
        ),
      }),
    ];
  }
  return keyFindings(selector, all, published[0]!, context);
}

async function publishKey(
  selector: Selector,
  old: readonly TxtRecord[],
  context: Context,
): Promise<Fix | null> {
  const wanted = context.wanted(dkimOwner(selector.dkimSelector, context.domain), "dkim");
  if (wanted.length === 0) {
    return {
      summary: "Publish the record that the signer made for this selector, and only that one.",
      changes: [],
    };
  }
  const create = wanted.map(({ record }) => record);
  const isWanted = ({ data }: TxtRecord) =>
    create.some((record) => record.data.type === "TXT" && txtText(record.data) === txtText(data));
  return context.fix("Publish the key that the signer uses.", {
    remove: old.filter((record) => !isWanted(record)),
    create: old.some(isWanted) ? [] : create,
  });
}

async function keyFindings(
  selector: Selector,
  all: readonly Selector[],
  { text, record }: { text: string; record: TxtRecord },
  context: Context,
): Promise<Finding[]> {
  const owner = dkimOwner(selector.dkimSelector, context.domain);
  const reading = parseDkimKey(text);
  const remarks = remarksOnDkimKey(text, reading);
  const isSound = remarks.every(({ severity }) => severity === "notice");
  const fix = isSound ? null : await repairFix(selector, reading, { text, record }, context);
  const findings = remarks.map((remark) =>
    context.remark(remark, { owner, text, fix: remedyFor(remark, fix) }),
  );
  const { key, uses } = selector;
  if (reading.status === "revoked" && (key !== undefined || uses.length > 0)) {
    const [using] = [...uses.flatMap((use) => (use.key.ok ? [use.key.value] : [])), key];
    findings.push(
      context.finding("dkim-signer-uses-revoked", {
        owner,
        ...(using !== undefined && { expected: describeDkimKey(using) }),
        observed: text,
        verify: "TXT",
        fix: await publishKey(selector, [record], context),
      }),
    );
  }
  if (reading.status === "valid") {
    const { key: published } = reading.record;
    findings.push(...(await compareWithSigners(uses, published, { owner, record }, context)));
    if (key !== undefined && !sameDkimKey(key, published)) {
      findings.push(...(await describedKeyDiffers(selector, key, { published, record }, all, context)));
    }
  }
  if (
    reading.status === "valid" &&
    !findings.some(({ severity }) => severity === "error" || severity === "warning")
  ) {
    findings.push(
      context.finding("dkim-ok", {
        owner,
        observed: `${describeDkimKey(reading.record.key)}, fingerprint ${shortDkimFingerprint(reading.record.key)}`,
        verify: "TXT",
      }),
    );
  }
  return findings;
}

/** The description's key is not the published one; where a signer's configuration is known, that one decides. */
async function describedKeyDiffers(
  selector: Selector,
  key: DkimPublicKey,
  { published, record }: { readonly published: DkimPublicKey; readonly record: TxtRecord },
  all: readonly Selector[],
  context: Context,
): Promise<Finding[]> {
  const isUsed = (used: DkimPublicKey) =>
    selector.uses.some((use) => use.key.ok && sameDkimKey(use.key.value, used));
  if (isUsed(key)) return []; // said of the signer
  const said = {
    owner: dkimOwner(selector.dkimSelector, context.domain),
    expected: `${describeDkimKey(key)}, fingerprint ${shortDkimFingerprint(key)}`,
    observed: `${describeDkimKey(published)}, fingerprint ${shortDkimFingerprint(published)}${whose(published, selector, all)}`,
    verify: "TXT" as const,
  };
  if (!isUsed(published)) {
    const fix = await publishKey(selector, [record], context);
    return [context.finding("dkim-key-differs", { ...said, fix })];
  }
  return [
    context.finding("dkim-key-differs", {
      ...said,
      severity: "warning",
      why: "The published key is the signer's; the description has another one, and would publish that.",
      fix: { summary: "Put the signer's key into the description.", changes: [] },
    }),
  ];
}

/** The same record without the damage; where nothing is left to save, the signer's key. */
async function repairFix(
  selector: Selector,
  reading: DkimKeyReading,
  { text, record }: { readonly text: string; readonly record: TxtRecord },
  context: Context,
): Promise<Fix | null> {
  const repaired = repairDkimKey(text);
  if (repaired === undefined) {
    return reading.status === "invalid" || selector.key !== undefined
      ? publishKey(selector, [record], context)
      : null;
  }
  const create = { ...record, data: { type: "TXT" as const, strings: toCharacterStrings(repaired) } };
  return context.fix("The same record without the damage.", { remove: [record], create: [create] });
}

/** A key that is too weak is not mended by publishing it again. */
function remedyFor({ code, severity }: Remark, fix: Fix | null): Fix | null {
  if (severity === "notice") return null;
  if (!["dkim-key-short", "dkim-key-too-short", "dkim-key-too-long", "dkim-weak-exponent"].includes(code))
    return fix;
  return {
    summary:
      "Make an RSA key of 2048 bits, publish it under a new selector, let the signer use that, and only then take this one away.",
    changes: [],
  };
}

/** Another described key in the place of this one: two selectors mixed up. */
function whose(published: DkimPublicKey, selector: Selector, all: readonly Selector[]): string {
  const other = all.find(
    ({ dkimSelector, key }) =>
      dkimSelector !== selector.dkimSelector && key !== undefined && sameDkimKey(key, published),
  );
  return other === undefined ? "" : `: the key of selector ${other.dkimSelector}`;
}

/** R45: at the apex, at `_domainkey`, at `selector.domain`, at the doubled name. */
async function misplacedFindings(
  named: readonly Selector[],
  lost: readonly Selector[],
  { top, apex }: { readonly top: Answer<"TXT">; readonly apex: Answer<"TXT"> },
  context: Context,
): Promise<Finding[]> {
  const { domain } = context;
  const places: { owner: DomainName; answer: Answer<"TXT">; selector?: Selector }[] = [
    { owner: domain, answer: apex },
    { owner: prepend("_domainkey", domain), answer: top },
  ];
  // Names below a doubled domain need no look where the doubled domain itself does not exist.
  const twice = lost.length === 0 ? undefined : tryPrepend(domain, domain);
  const doubled = twice === undefined ? undefined : await context.lookup(twice, "A");
  const untold = twice === undefined ? [] : context.untold(twice, ["A", doubled!]);
  const isDoubled =
    doubled !== undefined &&
    doubled.status !== "unknown" &&
    !(doubled.status === "absent" && doubled.kind === "nxdomain");
  const more = lost.flatMap((selector) => {
    const owners = [
      prepend(selector.dkimSelector, domain),
      ...(isDoubled ? [tryDkimOwner(selector.dkimSelector, twice!)] : []),
    ];
    return owners.flatMap((owner) => (owner === undefined ? [] : [{ owner, selector }]));
  });
  places.push(
    ...(await Promise.all(
      more.map(async (place) => ({ ...place, answer: await context.lookup(place.owner, "TXT") })),
    )),
  );
  const found = await Promise.all(
    places.map(async ({ owner, answer, selector }) => {
      const keys = texts(answer).filter(({ text }) => looksLikeDkimKey(text));
      untold.push(...context.untold(owner, ["TXT", answer]));
      return Promise.all(
        keys.map(({ text, record }) =>
          misplacedFinding(owner, text, record, selector ?? ownerOf(text, named), context),
        ),
      );
    }),
  );
  return [...untold, ...found.flat()];
}

/** Which selector a misplaced key belongs to: the one with this key, or the only one there is. */
function ownerOf(text: string, selectors: readonly Selector[]): Selector | undefined {
  const reading = parseDkimKey(text);
  const same =
    reading.status === "valid"
      ? selectors.find(({ key }) => key !== undefined && sameDkimKey(key, reading.record.key))
      : undefined;
  return same ?? (selectors.length === 1 ? selectors[0] : undefined);
}

async function misplacedFinding(
  owner: DomainName,
  text: string,
  record: TxtRecord,
  selector: Selector | undefined,
  context: Context,
): Promise<Finding> {
  const right = selector && dkimOwner(selector.dkimSelector, context.domain);
  const reading = parseDkimKey(text);
  const { key } = selector ?? {};
  const match =
    reading.status !== "valid" || key === undefined
      ? ""
      : sameDkimKey(key, reading.record.key)
        ? " (it is the signer's key)"
        : " (and it is not the signer's key)";
  return context.finding("dkim-wrong-owner", {
    owner,
    expected: right ?? `<selector>._domainkey.${context.domain}`,
    observed: `${text}${match}`,
    verify: "TXT",
    fix:
      right === undefined
        ? {
            summary: `Move it to <selector>._domainkey.${context.domain}, with the selector that the signer uses.`,
            changes: [],
          }
        : await context.fix(`Move it to ${right}.`, {
            remove: [record],
            create: [{ ...record, name: right }],
          }),
  });
}
