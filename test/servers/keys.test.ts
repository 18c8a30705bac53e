/** Exported keys in the programs that sign with them: OpenDKIM, dkimpy-milter, rspamd and amavisd. */
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { json } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ExportedKey, type ExportFormat, exportKeys } from "../../src/keys/export.ts";
import { keyRecordText } from "../../src/keys/key-record-shapes.ts";
import { readPrivateKey } from "../../src/keys/private-text.ts";
import { fixedKey } from "../support/dkim-keys.ts";
import { describeWithServers, findProgram, giveTo, startServer } from "../support/real-server.ts";

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

/** Reads from standard input the mails with their signatures and the records, and says which signatures pass. */
const VERIFY = `
import sys, json, dkim
mails, records = json.load(sys.stdin)
look = lambda name, timeout=5: records.get(name.decode().rstrip("."), "").encode()
print(json.dumps([dkim.verify(mail.encode(), dnsfunc=look) for mail in mails]))
`;

describeWithServers(["rspamd", "rspamadm", "dkimpy-milter", "python3"], "rspamd", () => {
  const signing = [
    ...KEYS,
    fixedKey("rsa", "below", "mail.example.net"),
    fixedKey("ed25519", "above", "example.net"),
  ];
  const socket = () => join(folder, "run/worker.sock");
  const configure = () => {
    const run = join(folder, "run");
    mkdirSync(run);
    // Stands where the distribution's dkim_signing.conf stands, which names these and includes ours.
    const conf = `
      options {
        filters = "dkim"; pidfile = "${run}/pid"; tempdir = "${run}"; hs_cache_dir = "${run}";
        url_tld = "${run}/tld"; control_socket = "${run}/control.sock mode=0600"; explicit_modules = [];
        dns { nameserver = ["127.0.0.1:9"]; }
      }
      logging { type = "console"; level = "info"; }
      worker "normal" { bind_socket = "${socket()} mode=0600"; count = 1; }
      modules { path = "$PLUGINSDIR/dkim_signing.lua"; }
      dkim {}
      dkim_signing {
        selector = "dkim"; use_esld = true; try_fallback = true; allow_hdrfrom_mismatch = false;
        .include(priority=1,duplicate=merge) "${folder}/dkim_signing.conf"
      }`;
    writeFileSync(join(run, "tld"), "org\nnet\n");
    writeFileSync(join(run, "rspamd.conf"), conf);
    return join(run, "rspamd.conf");
  };
  const check = () =>
    spawnSync(findProgram("rspamadm")!, ["configtest", "-c", configure()], { encoding: "utf8" });

  it("takes the settings", () => {
    write("rspamd", signing);
    expect(check()).toMatchObject({ status: 0, stdout: "syntax OK\n" });
  });

  it("would have said what is wrong", () => {
    write("rspamd", signing);
    const path = join(folder, "dkim_signing.conf");
    writeFileSync(path, readFileSync(path, "utf8").replace(/\}\s*$/, ""));
    expect(check().status).not.toBe(0);
  });

  it("signs with each key for its own domain alone, and what it signs passes with our records", async () => {
    write("rspamd", signing);
    const rspamd = await startServer({
      program: "rspamd",
      arguments: ["--insecure", "--no-fork", "--config", configure()],
      directory: join(folder, "run"),
      isReady: () => existsSync(socket()),
    });
    const cases = [
      { from: "bob@example.org", signers: ["202611", "202611-2"], because: "two keys, in a block" },
      { from: "bob@mail.example.net", signers: ["below"], because: "not the key of the registrable domain" },
      { from: "bob@example.net", signers: ["above"], because: "one key, in the maps" },
      { from: "bob@www.example.net", signers: [], because: "no key of its own" },
    ];
    const mails: string[] = [];
    try {
      for (const { from, signers, because } of cases) {
        const mail = `From: ${from}\r\nSubject: x\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\nbody\r\n`;
        const signatures = await signaturesOf(mail);
        const made = signatures.map((text) => /\bs=([^;\s]+);/.exec(text)?.[1]);
        expect(made, because).toEqual(signers);
        mails.push(...signatures.map((text) => `DKIM-Signature: ${text}\r\n${mail}`));
      }
    } finally {
      await rspamd.stop();
    }
    const records = Object.fromEntries(
      signing.map(({ key }) => [`${key.dkimSelector}._domainkey.${key.signingDomain}`, keyRecordText(key)]),
    );
    const out = execFileSync("/usr/bin/python3", ["-c", VERIFY], {
      encoding: "utf8",
      input: JSON.stringify([mails, records]),
    });
    expect(JSON.parse(out)).toEqual([true, true, true, true]);
  });

  /** As a user who has logged in, with an envelope of another domain, as that of bounces is. */
  async function signaturesOf(mail: string): Promise<string[]> {
    const headers = { User: "bob", From: "bounces@b.example.org", IP: "192.0.2.1" };
    const request = httpRequest({ socketPath: socket(), path: "/checkv2", method: "POST", headers });
    request.end(mail);
    const [response] = await once(request, "response");
    const { "dkim-signature": made } = (await json(response)) as { "dkim-signature"?: string | string[] };
    return [made ?? []].flat();
  }
});

describeWithServers(
  ["amavisd"],
  "amavisd",
  () => {
    it("reads the lines, and shows the same public keys", () => {
      const signing = [KEYS[0]!, fixedKey("rsa", "second"), fixedKey("rsa", "below", "mail.example.net")];
      write("amavisd", signing);
      // As the notes of the export say; amavisd takes settings of root alone, and does not stay root.
      giveTo("amavis", folder);
      const settings = join(folder, "conf.d");
      mkdirSync(settings);
      const [conf, lines] = [join(settings, "amavisd.conf"), join(settings, "60-dkim-keys")];
      writeFileSync(lines, readFileSync(join(folder, "60-dkim-keys")));
      chmodSync(lines, 0o644);
      writeFileSync(
        conf,
        `$MYHOME = '${folder}'; $TEMPBASE = $MYHOME; $myhostname = 'mail.example.org'; $daemon_user = $daemon_group = 'amavis';\n1;\n`,
      );
      const args = ["-c", conf, "-c", lines, "showkeys"];
      const { stdout: shown, stderr } = spawnSync(findProgram("amavisd")!, args, { encoding: "utf8" });
      expect(stderr).toBe("");
      const records = [...shown.matchAll(/^(\S+)\.\t3600 TXT \(([^)]*)\)$/gm)].map(([, owner, text]) => [
        owner,
        [...text!.matchAll(/"([^"]*)"/g)].map(([, part]) => part).join(""),
      ]);
      const ours = signing.map(({ key }) => [
        `${key.dkimSelector}._domainkey.${key.signingDomain}`,
        keyRecordText(key).replace(" k=rsa;", ""),
      ]);
      expect(records).toEqual(ours);
    });
  },
  { asRoot: true },
);
