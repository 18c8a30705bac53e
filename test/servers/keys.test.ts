/**
 * Exported keys in the programs that sign with them: OpenDKIM, dkimpy-milter, and the Perl that amavisd's settings are.
 * rspamd and amavisd themselves are large packages, and are left out.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ExportedKey, type ExportFormat, exportKeys } from "../../src/keys/export.ts";
import { keyRecordText } from "../../src/keys/key-record-shapes.ts";
import { readPrivateKey } from "../../src/keys/private-text.ts";
import { sameDkimKey } from "../../src/standards/dkim/public-key.ts";
import { fixedKey } from "../support/dkim-keys.ts";
import { describeWithServers, findProgram } from "../support/real-server.ts";

const KEYS = [fixedKey("rsa", "202611"), fixedKey("ed25519", "202611-2")];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zonepost-signer-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(format: ExportFormat, keys: readonly ExportedKey[] = KEYS): void {
  const made = exportKeys(keys, format, folder);
  if (!made.ok) throw new Error(made.problem);
  for (const { path, content } of made.value.files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, path), content, { mode: 0o600 });
  }
}

describeWithServers(["opendkim", "opendkim-genkey"], "OpenDKIM", () => {
  const check = () => {
    const conf = join(folder, "opendkim.conf");
    writeFileSync(conf, `${readFileSync(conf, "utf8")}Socket inet:0@127.0.0.1\nRequireSafeKeys no\n`);
    return spawnSync(findProgram("opendkim")!, ["-n", "-x", conf], { encoding: "utf8" });
  };

  it("takes the tables", () => {
    write("opendkim");
    expect(check()).toMatchObject({ status: 0, stderr: "" });
  });

  it("takes two keys of a domain", () => {
    write("opendkim", [KEYS[0]!, fixedKey("rsa", "second")]);
    expect(check()).toMatchObject({ status: 0, stderr: "" });
  });

  it("would have said what is wrong", () => {
    write("opendkim");
    writeFileSync(join(folder, "opendkim.conf"), "KeyTabel /nowhere\n");
    expect(check().status).not.toBe(0);
  });

  it("makes keys that are read", () => {
    execFileSync(findProgram("opendkim-genkey")!, [
      "-b",
      "2048",
      "-d",
      "example.org",
      "-s",
      "made",
      "-D",
      folder,
    ]);
    const read = readPrivateKey(readFileSync(join(folder, "made.private"), "utf8"));
    const txt = readFileSync(join(folder, "made.txt"), "utf8");
    const p = [...txt.matchAll(/"([^"]*)"/g)].map(([, text]) => text).join("");
    expect(read.ok).toBe(true);
    if (read.ok)
      expect(p).toContain(keyRecordText({ ...KEYS[0]!.key, ...read.value }, "short").replace(/^.*p=/, "p="));
  });
});

/** Signs a mail as the milter would with the keys that its own reader found, and prints what it found. */
const DKIMPY = `
import sys, json, dkim
from dkimpy_milter import config
conf = config._processConfigFile(filename=sys.argv[1], configdata=dict(config.defaultConfigData))
mail = b"From: bob@example.org\\r\\nSubject: x\\r\\n\\r\\nbody\\r\\n"
def text(table, algorithm):
    domain, selector, path = conf[table][conf["SigningTable"]["*@example.org"][-1]]
    key = open(path, "rb").read()
    sig = dkim.sign(mail, selector.encode(), domain.encode(), key, signature_algorithm=algorithm)
    records = json.loads(sys.argv[2])
    return dkim.verify(sig + mail, dnsfunc=lambda name, timeout=5: records[name.decode().rstrip(".")].encode())
print(json.dumps([text("KeyTable", b"rsa-sha256"), text("KeyTableEd25519", b"ed25519-sha256")]))
`;

describeWithServers(["dkimpy-milter", "python3"], "dkimpy-milter", () => {
  it("reads the tables, and what it signs passes with our records", () => {
    write("dkimpy");
    const records = Object.fromEntries(
      KEYS.map(({ key }) => [`${key.dkimSelector}._domainkey.${key.signingDomain}`, keyRecordText(key)]),
    );
    const script = join(folder, "sign.py");
    writeFileSync(script, DKIMPY);
    const args = [script, join(folder, "dkimpy-milter.conf"), JSON.stringify(records)];
    // The distribution's Python, which has the milter, whatever else stands on the path.
    const out = execFileSync("/usr/bin/python3", args, { encoding: "utf8" });
    expect(JSON.parse(out)).toEqual([true, true]);
  });
});

describeWithServers(["perl"], "Perl", () => {
  it("reads the lines for amavisd, and finds each key", () => {
    write("amavisd");
    const script = join(folder, "read.pl");
    writeFileSync(
      script,
      "our $enable_dkim_signing; sub dkim_key { print join(' ', @_), qq(\\n); } do $ARGV[0] or die; print qq(on $enable_dkim_signing\\n);",
    );
    const out = execFileSync("perl", [script, join(folder, "60-dkim-keys")], { encoding: "utf8" });
    const path = join(folder, "keys/example.org/202611.private");
    expect(out).toBe(`example.org 202611 ${path}\non 1\n`);
    expect(existsSync(path)).toBe(true);
    chmodSync(path, 0o600);
    const read = readPrivateKey(readFileSync(path, "utf8"));
    expect(read.ok && sameDkimKey(read.value.publicKey, KEYS[0]!.key.publicKey)).toBe(true);
  });
});
