/** What every provider promises, as tests: called by the tests of each, with a zone of its own. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Provider, Rrset, RrsetChange, ZoneContent } from "../../src/publish/provider.ts";
import { hasSameData, rrsetKey } from "../../src/publish/rrset.ts";
import { type DomainName, domainName } from "../../src/standards/dns/name.ts";
import { parseRecordType, type RecordType } from "../../src/standards/dns/record.ts";
import { parseZoneText } from "../../src/standards/dns/zone-text.ts";

export interface OpenProvider {
  readonly provider: Provider;
  /** Held by the provider, with nothing but SOA and NS and perhaps the address of its server, "ns". */
  readonly zone: DomainName;
  /** A zone that it does not hold. */
  readonly unknownZone?: DomainName;
  /** The same, with a key or token that is not right; absent where there is nothing like that. */
  readonly withWrongCredentials?: Provider;
  /** Texts that its TXT cannot hold, for reasons of its own. */
  readonly lacksTxt?: (text: string) => boolean;
  close(): Promise<void> | void;
}

/** `rrset("example.org", "_dmarc", "TXT", ['"v=DMARC1"'])`; "@" is the zone itself. */
export function rrsetIn(
  zone: DomainName,
  owner: string,
  type: RecordType,
  data: readonly string[],
  ttlSeconds = 3600,
): Rrset {
  const text = data.map((each) => `${owner} ${ttlSeconds} ${type} ${each}\n`).join("");
  const { records, problems } = parseZoneText(text, { origin: zone });
  if (problems[0] !== undefined) throw new Error(problems[0].problem);
  if (parseRecordType(type) !== type) throw new Error(`no type ${type}`);
  return { name: records[0]!.name, type, ttlSeconds, data: records.map((record) => record.data) };
}

export async function contentOf(provider: Provider, zone: DomainName): Promise<ZoneContent> {
  const outcome = await provider.readZone(zone);
  if (outcome.status !== "read") throw new Error(`${outcome.cause}: ${outcome.detail}`);
  return outcome.content;
}

export function findRrset(content: ZoneContent, name: DomainName, type: RecordType): Rrset | undefined {
  return content.rrsets.find((each) => rrsetKey(each) === rrsetKey({ name, type }));
}

/** From nothing, to nothing, or from one to the other. */
export function changeOf(before: Rrset | undefined, after: Rrset | undefined): RrsetChange {
  const { name, type } = (after ?? before)!;
  return { name, type, before, after };
}

export function providerContract(title: string, open: () => Promise<OpenProvider> | OpenProvider): void {
  describe(`${title}: what every provider promises`, () => {
    let opened: OpenProvider;
    let provider: Provider;
    let zone: DomainName;

    beforeAll(async () => {
      opened = await open();
      ({ provider, zone } = opened);
    });
    afterAll(() => opened.close());

    const see = async (name: DomainName, type: RecordType) =>
      findRrset(await contentOf(provider, zone), name, type);
    const expectRrset = async (expected: Rrset) => {
      const found = await see(expected.name, expected.type);
      expect(found?.data, rrsetKey(expected)).toHaveLength(expected.data.length);
      expect(hasSameData(found, expected), rrsetKey(expected)).toBe(true);
      return found!;
    };
    const applyAll = async (...changes: RrsetChange[]) => {
      expect(await provider.apply(zone, changes)).toEqual({ status: "applied" });
    };

    it("reads a zone that is empty but for its own records", async () => {
      const content = await contentOf(provider, zone);
      expect(content.zone).toBe(zone);
      const foreign = content.rrsets.filter(
        ({ name, type }) => type !== "NS" && name !== domainName(`ns.${zone}`),
      );
      expect(foreign).toEqual([]);
    });

    it("creates, changes and deletes", async () => {
      const first = rrsetIn(zone, "mail", "A", ["192.0.2.1", "192.0.2.2"]);
      await applyAll(changeOf(undefined, first));
      const seen = await expectRrset(first);
      expect(seen.ttlSeconds).toBe(3600);
      const second = rrsetIn(zone, "mail", "A", ["192.0.2.2", "192.0.2.3"], 7200);
      await applyAll(changeOf(seen, second));
      const changed = await expectRrset(second);
      expect(changed.ttlSeconds).toBe(7200);
      await applyAll(changeOf(changed, undefined));
      expect(await see(first.name, "A")).toBeUndefined();
    });

    it("stores the types that mail needs, and reads them back as they were", async () => {
      const rows: [owner: string, type: RecordType, data: string[]][] = [
        ["types", "MX", ["10 mail.example.net.", "20 mail2.example.net."]],
        ["types", "AAAA", ["2001:db8::25"]],
        ["types", "TXT", ['"v=spf1 mx -all"', '"quotes \\" and; semicolons \\\\ and = signs"']],
        ["key._domainkey.types", "TXT", [`"v=DKIM1; k=rsa; p=${"A".repeat(230)}" "${"B".repeat(120)}"`]],
        ["_imaps._tcp.types", "SRV", ["0 1 993 mail.example.net."]],
        ["_25._tcp.types", "TLSA", [`3 1 1 ${"0123456789abcdef".repeat(4)}`]],
        ["types", "CAA", ['0 issue "letsencrypt.org"']],
        ["autoconfig.types", "CNAME", ["mail.example.net."]],
      ];
      const rrsets = rows
        .filter(([, type]) => !provider.capabilities.lacksTypes.includes(type))
        .map(([owner, type, data]) => {
          const lacks = type === "TXT" ? opened.lacksTxt : undefined;
          return rrsetIn(zone, owner, type, lacks === undefined ? data : data.filter((each) => !lacks(each)));
        });
      await applyAll(...rrsets.map((rrset) => changeOf(undefined, rrset)));
      for (const rrset of rrsets) await expectRrset(rrset);
      const content = await contentOf(provider, zone);
      const there = rrsets.map(({ name, type }) => findRrset(content, name, type)!);
      await applyAll(...there.map((rrset) => changeOf(rrset, undefined)));
      for (const { name, type } of rrsets) expect(await see(name, type)).toBeUndefined();
    });

    it("keeps what the caller keeps in the same RRset, and all other RRsets of the name", async () => {
      const foreign = rrsetIn(zone, "kept", "TXT", ['"verification=abc"']);
      const beside = rrsetIn(zone, "kept", "A", ["192.0.2.9"]);
      await applyAll(changeOf(undefined, foreign), changeOf(undefined, beside));
      const before = await expectRrset(foreign);
      const both = rrsetIn(zone, "kept", "TXT", ['"verification=abc"', '"v=spf1 -all"']);
      await applyAll(changeOf(before, both));
      const seen = await expectRrset(both);
      await applyAll(changeOf(seen, foreign));
      await expectRrset(foreign);
      await expectRrset(beside);
    });

    it("refuses what was planned on an RRset that is another by now, and changes nothing", async () => {
      const first = rrsetIn(zone, "stale", "TXT", ['"first"']);
      await applyAll(changeOf(undefined, first));
      const planned = await expectRrset(first);
      const theirs = rrsetIn(zone, "stale", "TXT", ['"first"', '"theirs"']);
      await applyAll(changeOf(planned, theirs));
      const ours = changeOf(planned, rrsetIn(zone, "stale", "TXT", ['"ours"']));
      expect(await provider.apply(zone, [ours])).toMatchObject({ status: "stale", changes: [ours] });
      await expectRrset(theirs);
    });

    it("refuses to create what is there, and to delete what is not", async () => {
      const there = rrsetIn(zone, "there", "A", ["192.0.2.7"]);
      await applyAll(changeOf(undefined, there));
      const again = await provider.apply(zone, [changeOf(undefined, there)]);
      expect(again).toMatchObject({ status: "stale" });
      const gone = changeOf(rrsetIn(zone, "gone", "A", ["192.0.2.8"]), undefined);
      expect(await provider.apply(zone, [gone])).toMatchObject({ status: "stale", changes: [gone] });
      await expectRrset(there);
    });

    it("does nothing where there is nothing to do", async () => {
      const before = await contentOf(provider, zone);
      await applyAll();
      expect(await contentOf(provider, zone)).toEqual(before);
    });

    it("knows which zones it does not hold", async ({ skip }) => {
      const { unknownZone } = opened;
      if (unknownZone === undefined) return skip("it holds one zone only");
      expect(await provider.readZone(unknownZone)).toMatchObject({ status: "failed", cause: "no-zone" });
      const change = changeOf(undefined, rrsetIn(unknownZone, "mail", "A", ["192.0.2.1"]));
      expect(await provider.apply(unknownZone, [change])).toMatchObject({
        status: "failed",
        cause: "no-zone",
      });
    });

    it("says that credentials are wrong", async ({ skip }) => {
      const { withWrongCredentials: wrong } = opened;
      if (wrong === undefined) return skip("it needs none");
      expect(await wrong.readZone(zone)).toMatchObject({ status: "failed", cause: "credentials" });
      const change = changeOf(undefined, rrsetIn(zone, "wrong", "A", ["192.0.2.1"]));
      expect(await wrong.apply(zone, [change])).toMatchObject({ status: "failed", cause: "credentials" });
      expect(await see(change.name, "A")).toBeUndefined();
    });
  });
}
