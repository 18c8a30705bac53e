/** Zone files changed in place, with BIND's own check as the judge. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createZoneFileAccess } from "../../src/net/zone-file-access.ts";
import { createZoneFileProvider, type ZoneFileOptions } from "../../src/publish/providers/zone-file.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { changeOf, contentOf, findRrset, providerContract, rrsetIn } from "../contract/provider.ts";
import { describeWithServers, findProgram } from "../support/real-server.ts";

const zone = domainName("example.org");
const folder = mkdtempSync(join(tmpdir(), "zonepost-zone-file-"));
afterAll(() => rmSync(folder, { recursive: true }));
const now = () => Date.UTC(2026, 10, 21, 12);

let count = 0;
function open(text: string | undefined, options: { mode?: ZoneFileOptions["mode"]; check?: boolean } = {}) {
  const path = join(folder, `${count++}.zone`);
  if (text !== undefined) writeFileSync(path, text);
  const named = findProgram("named-checkzone");
  const check = options.check ? ([named ?? "named-checkzone", zone, "{}"] as const) : undefined;
  const file = createZoneFileAccess({ path, check });
  const provider = createZoneFileProvider({ file, zone, mode: options.mode ?? "whole", now });
  return { path, provider, text: () => readFileSync(path, "utf8") };
}

const EMPTY = `$TTL 1h
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
`;

providerContract("a zone file", () => ({
  provider: open(EMPTY).provider,
  zone,
  unknownZone: domainName("example.net"),
  close: () => undefined,
}));

providerContract("a fragment of a zone file", () => ({
  provider: open(undefined, { mode: "fragment" }).provider,
  zone,
  unknownZone: domainName("example.net"),
  close: () => undefined,
}));

describe("the provider of a zone file", () => {
  const change = changeOf(undefined, rrsetIn(zone, "mail", "A", ["192.0.2.1"]));

  it.each<[reason: string, text: string | undefined, cause: string, detail: string]>([
    ["no file", undefined, "no-zone", "There is no file"],
    [
      "the file of another zone",
      EMPTY.replace("@ SOA", "example.net. SOA"),
      "no-zone",
      "no SOA for example.org",
    ],
    ["two SOA records", EMPTY + EMPTY, "refused", "a SOA too many"],
    ["$INCLUDE", `${EMPTY}$INCLUDE more.zone\n`, "refused", "line 5: $INCLUDE reads another file"],
    ["a line that cannot be read", `${EMPTY}www A 192.0.2.1234\n`, "refused", "line 5"],
  ])("neither reads nor writes: %s", async (_reason, text, cause, detail) => {
    const { provider } = open(text);
    for (const outcome of [await provider.readZone(zone), await provider.apply(zone, [change])]) {
      expect(outcome).toMatchObject({ status: "failed", cause, detail: expect.stringContaining(detail) });
    }
  });

  it.each<[reason: string, owner: string, type: "A" | "CNAME" | "SOA", data: string, detail: string]>([
    ["a CNAME beside an address", "ns", "CNAME", "www", "a CNAME stands alone"],
    ["a CNAME at the top", "@", "CNAME", "www", "a CNAME stands alone"],
    ["an address beside a CNAME", "alias", "A", "192.0.2.1", "a CNAME stands alone"],
  ])("refuses %s", async (_reason, owner, type, data, detail) => {
    const { provider, text } = open(`${EMPTY}alias CNAME ns\n`);
    const outcome = await provider.apply(zone, [changeOf(undefined, rrsetIn(zone, owner, type, [data]))]);
    expect(outcome).toMatchObject({
      status: "failed",
      cause: "refused",
      detail: expect.stringContaining(detail),
    });
    expect(text()).toBe(`${EMPTY}alias CNAME ns\n`);
  });

  it("loses nothing where two publishers change the same file", async () => {
    const { provider, path, text } = open(EMPTY);
    const other = createZoneFileProvider({ file: createZoneFileAccess({ path }), zone, mode: "whole", now });
    const add = async (which: typeof provider, names: string[]) => {
      for (const name of names) {
        const one = changeOf(undefined, rrsetIn(zone, name, "A", ["192.0.2.1"]));
        expect(await which.apply(zone, [one])).toEqual({ status: "applied" });
      }
    };
    const names = (prefix: string) => Array.from({ length: 30 }, (_, at) => `${prefix}${at}`);
    await Promise.all([add(provider, names("a")), add(other, names("b"))]);
    const content = await contentOf(provider, zone);
    expect(content.rrsets).toHaveLength(2 + 60);
    expect(content.serial).toBe(61);
    expect(text().startsWith("$TTL 1h\n@ SOA ns hostmaster 61 3600 600 86400 60\n@ NS ns\n")).toBe(true);
  });

  it("writes a fragment that another file can take in, whatever its $TTL and $ORIGIN", async () => {
    const { provider, text } = open(undefined, { mode: "fragment" });
    expect(await provider.readZone(zone)).toEqual({ status: "read", content: { zone, rrsets: [] } });
    expect(await provider.apply(zone, [change])).toEqual({ status: "applied" });
    expect(text()).toMatch(/^;.*\n\$ORIGIN example\.org\.\nmail 3600 IN A 192\.0\.2\.1\n$/);
    expect(await provider.apply(zone, [changeOf(change.after, undefined)])).toEqual({ status: "applied" });
    expect(text()).toMatch(/^;.*\n\$ORIGIN example\.org\.\n$/);
  });

  it("refuses a whole zone where a fragment is meant", async () => {
    const { provider } = open(EMPTY, { mode: "fragment" });
    expect(await provider.readZone(zone)).toMatchObject({ status: "failed", cause: "refused" });
  });
});

/** Zones as people keep them, and what they are after the same records were published into each. */
const GOLDEN_FOLDER = join(import.meta.dirname, "../golden/zone-files");
const GOLDEN = readdirSync(GOLDEN_FOLDER).sort();

describeWithServers(["named-checkzone", "named-compilezone"], "zone files as BIND reads them", () => {
  const compile = (path: string): string => {
    const argv = ["-q", "-i", "none", "-F", "text", "-s", "full", "-o", "-", zone, path];
    const { status, stdout, stderr } = spawnSync(findProgram("named-compilezone")!, argv, {
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    return stdout;
  };

  it.each(GOLDEN)("%s: published into, it is sound, and all else is as it was", async (name) => {
    const text = readFileSync(join(GOLDEN_FOLDER, name, "before.zone"), "utf8");
    const opened = open(text, { check: true });
    const { provider, path } = opened;
    const before = compile(path).split("\n");
    const content = await contentOf(provider, zone);
    const spf = findRrset(content, zone, "TXT");
    const mx = findRrset(content, zone, "MX");
    const [kept] = (spf?.data ?? []).filter(
      (data) => data.type === "TXT" && !data.strings[0]!.startsWith("v=spf1"),
    );
    const ours = rrsetIn(zone, "@", "TXT", ['"v=spf1 mx -all"']);
    const long = `"v=DKIM1; k=rsa; p=${"A".repeat(200)}" "${"B".repeat(150)}"`;
    const changes = [
      changeOf(spf, { ...ours, data: [...ours.data, ...(kept ? [kept] : [])] }),
      changeOf(mx, rrsetIn(zone, "@", "MX", ["10 mail", "20 mail.example.net."])),
      changeOf(undefined, rrsetIn(zone, "_dmarc", "TXT", ['"v=DMARC1; p=none; rua=mailto:d@example.org"'])),
      changeOf(undefined, rrsetIn(zone, "new._domainkey", "TXT", [long])),
      changeOf(undefined, rrsetIn(zone, "_25._tcp.mail", "TLSA", [`3 1 1 ${"00".repeat(32)}`])),
      ...(findRrset(content, domainName("mail.example.org"), "A")
        ? []
        : [changeOf(undefined, rrsetIn(zone, "mail", "A", ["192.0.2.25"]))]),
    ];
    expect(await provider.apply(zone, changes)).toEqual({ status: "applied" });
    const after = compile(path).split("\n");
    const isOurs = (line: string) =>
      /\sSOA\s|^example\.org\.\s.*\s(TXT|MX)\s|_dmarc|new\._domainkey|_25\._tcp|^mail\.example\.org/.test(
        line,
      );
    expect(after.filter((line) => !isOurs(line))).toEqual(before.filter((line) => !isOurs(line)));
    const published = await contentOf(provider, zone);
    for (const { name, type, after: wanted } of changes) {
      expect(findRrset(published, name, type)?.data).toHaveLength(wanted!.data.length);
    }
    expect(published.serial).toBeGreaterThan(content.serial!);
    for (const line of text.split("\n").filter((each) => /^\s*;|^\$/.test(each))) {
      expect(opened.text().split("\n")).toContain(line);
    }

    // The same again is stale, and writes nothing; asked in terms of what is there, it has nothing to do.
    const written = opened.text();
    expect(await provider.apply(zone, changes)).toMatchObject({ status: "stale" });
    const idle = changes.map(({ name, type, after: wanted }) =>
      changeOf(findRrset(published, name, type), wanted),
    );
    expect(await provider.apply(zone, idle)).toEqual({ status: "applied" });
    expect(opened.text()).toBe(written);
    await expect(written).toMatchFileSnapshot(join(GOLDEN_FOLDER, name, "after.zone"));
  });

  it("a fragment is taken in wherever $INCLUDE stands", async () => {
    const { provider, path } = open(undefined, { mode: "fragment" });
    const rrset = rrsetIn(zone, "mail", "A", ["192.0.2.1"], 60);
    expect(await provider.apply(zone, [changeOf(undefined, rrset)])).toEqual({ status: "applied" });
    const whole = open(`${EMPTY}$ORIGIN deep.example.org.\n$INCLUDE ${path}\nwww A 192.0.2.2\n`);
    const lines = compile(whole.path);
    expect(lines).toMatch(/^mail\.example\.org\.\s+60\s+IN\s+A\s+192\.0\.2\.1$/m);
    expect(lines).toMatch(/^www\.deep\.example\.org\.\s+3600\s/m);
  });

  it("a zone that BIND would not load is not put in place", async () => {
    const { provider, text } = open(EMPTY, { check: true });
    // An NS that is an address of nobody: named-checkzone refuses what the text alone does not show.
    const before = findRrset(await contentOf(provider, zone), zone, "NS");
    const outcome = await provider.apply(zone, [changeOf(before, rrsetIn(zone, "@", "NS", ["nowhere"]))]);
    expect(outcome).toMatchObject({
      status: "failed",
      cause: "refused",
      detail: expect.stringContaining("nowhere.example.org"),
    });
    expect(text()).toBe(EMPTY);
  });
});
