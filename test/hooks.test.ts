/** The hooks for ACME clients, run with stand-ins for zonepost, the clients and the mail server: who is called when. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issueCertificate } from "./support/certificates.ts";

const HOOKS = join(import.meta.dirname, "../examples/hooks");
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

let directory: string;
const at = (name: string) => join(directory, name);
const read = (name: string) => readFileSync(at(name), "utf8");

/** Writes down how it was called; "after" runs then. */
function standIn(name: string, after = ""): void {
  const script = `#!/bin/sh
set -eu
said=$(printf '%s ' "$@" | sed "s|$ROOT/||g; s|issue\\.[A-Za-z0-9]*|issue|g")
echo "${name} $said" >>"$ROOT/calls"
[ -e "$ROOT/tls/live.pem" ] && cmp -s "$ROOT/tls/live.pem" "$ROOT/before.pem" && echo "  (old certificate in use)" >>"$ROOT/calls"
${after}
exit 0
`;
  writeFileSync(at(`bin/${name}`), script);
  chmodSync(at(`bin/${name}`), 0o755);
}

/** Signs the CSR with its own key, as no authority is at hand. */
const ISSUE = (csr: string, chain: string, key = "$ROOT/tls/next.key") =>
  `openssl x509 -req -in "${csr}" -signkey "${key}" -days 90 -out "${chain}" 2>/dev/null`;

function run(script: string, words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { status, stderr } = spawnSync("sh", [join(HOOKS, script), ...words], {
    encoding: "utf8",
    env: {
      PATH: `${at("bin")}:${process.env["PATH"]}`,
      ROOT: directory,
      TLS_DIRECTORY: at("tls"),
      ZONEPOST_CONFIG: "zonepost.yaml",
      LEGO_PATH: at("lego"),
      RELOAD: "reload",
      ...environment,
    },
  });
  const calls = existsSync(at("calls"))
    ? read("calls")
        .trimEnd()
        .split("\n")
        .map((line) => line.trimEnd())
    : [];
  return { status, stderr, calls };
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-hooks-"));
  for (const name of ["bin", "tls", "lego", "lego/certificates"]) mkdirSync(at(name));
  standIn("zonepost");
  standIn("reload");
  const soon = new Date(Date.now() + 10 * 86_400_000);
  const old = issueCertificate({ subject: "mail.example.org", notAfter: soon });
  writeFileSync(at("tls/live.pem"), old.key + old.certificate);
  writeFileSync(at("before.pem"), old.key + old.certificate);
});
afterEach(() => rmSync(directory, { recursive: true }));

const NEXT = "zonepost tlsa next --host mail.example.org --publish --config zonepost.yaml";
const OLD_IN_USE = "  (old certificate in use)";

describe.skipIf(!hasOpenssl)("change-key.sh", () => {
  const change = (...issue: string[]) => run("change-key.sh", ["mail.example.org", ...issue]);

  it.each<[script: string, client: string, after: string, options: string[], calls: string[]]>([
    [
      "issue-with-certbot.sh",
      "certbot",
      `while [ "$1" != --csr ]; do shift; done; ${ISSUE("$2", "$8")}`,
      ["--webroot", "-w", "/var/www/html"],
      [
        "certbot certonly --non-interactive --agree-tos --csr tls/issue/request.pem --cert-path tls/issue/chain.pem.certificate --chain-path tls/issue/chain.pem.above --fullchain-path tls/issue/chain.pem --webroot -w /var/www/html",
      ],
    ],
    [
      "issue-with-acme-sh.sh",
      "acme.sh",
      `case $1 in --sign-csr) ${ISSUE("$3", "$ROOT/kept.pem")} ;; *) cp "$ROOT/kept.pem" "$6" ;; esac`,
      ["--standalone"],
      [
        "acme.sh --sign-csr --csr tls/issue/request.pem --force --standalone",
        "acme.sh --install-cert --domain mail.example.org --ecc --fullchain-file tls/issue/chain.pem",
      ],
    ],
    [
      "issue-with-lego.sh",
      "lego",
      ISSUE("$4", "$ROOT/lego/certificates/mail.example.org.crt"),
      ["--http"],
      ["lego run --accept-tos --csr tls/issue/request.pem --http"],
    ],
  ])(
    "%s: the record first, then the certificate, then the mail server",
    (script, client, after, options, calls) => {
      standIn(client, after);
      const said = change(join(HOOKS, script), ...options);
      expect(said).toMatchObject({ status: 0, stderr: "" });
      expect(said.calls).toEqual([
        `${NEXT} --key tls/next.key --current tls/live.pem --wait`,
        OLD_IN_USE,
        ...calls.flatMap((call) => [call, OLD_IN_USE]),
        `${NEXT} --key tls/next.key --current tls/live.pem`,
        OLD_IN_USE,
        "reload",
      ]);
      const live = read("tls/live.pem");
      expect(live).toMatch(/BEGIN PRIVATE KEY[\s\S]*BEGIN CERTIFICATE/);
      expect(statSync(at("tls/live.pem")).mode & 0o777).toBe(0o600);
      expect(existsSync(at("tls/next.key"))).toBe(false);
    },
  );

  it.each([
    [1, "the wait is not over"],
    [2, "there is trouble"],
    [3, "nothing could be told"],
  ])("changes nothing where zonepost says %i: %s", (code) => {
    standIn("zonepost", `exit ${code}`);
    standIn("issue");
    expect(change("issue")).toMatchObject({
      status: code,
      calls: [expect.stringContaining("--wait"), OLD_IN_USE],
    });
    expect(read("tls/live.pem")).toBe(read("before.pem"));
    const key = read("tls/next.key");
    change("issue");
    expect(read("tls/next.key"), "the same key at the next attempt").toBe(key);
  });

  it.each([
    ["exit 7", 7, "the client fails"],
    [
      `openssl genpkey -algorithm ED25519 -out "$ROOT/other"; ${ISSUE("$2", "$3", "$ROOT/other")}`,
      1,
      "another key",
    ],
  ])("keeps the old certificate where %j (%i): %s", (after, status) => {
    standIn("issue", after);
    expect(change("issue")).toMatchObject({ status, calls: expect.not.arrayContaining(["reload"]) });
    expect(read("tls/live.pem")).toBe(read("before.pem"));
  });

  it("asks again before the certificate comes, for issuing takes its time", () => {
    standIn("zonepost", 'case "$*" in *--wait*) exit 0 ;; *) exit 2 ;; esac');
    standIn("issue", ISSUE("$2", "$3"));
    expect(change("issue")).toMatchObject({ status: 2, calls: expect.not.arrayContaining(["reload"]) });
    expect(read("tls/live.pem")).toBe(read("before.pem"));
  });

  it("only sees to the old record while the certificate is good for long", () => {
    const fresh = issueCertificate({ subject: "mail.example.org" });
    writeFileSync(at("tls/live.pem"), fresh.key + fresh.certificate);
    expect(change("issue")).toMatchObject({ status: 0, calls: [`${NEXT} --key tls/live.pem`] });
  });

  it("wants to know the key that is in use", () => {
    rmSync(at("tls/live.pem"));
    expect(change("issue")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("is missing"),
      calls: [],
    });
  });
});

describe.skipIf(!hasOpenssl)("deploy-hook.sh", () => {
  const names = ["mail.example.org"];
  const WAIT =
    "zonepost tlsa next --host mail.example.org --key KEY --current tls/live.pem --publish --config zonepost.yaml --wait";

  it.each<
    [client: string, environment: (key: string, chain: string) => Record<string, string>, words: boolean]
  >([
    ["certbot", () => ({ RENEWED_LINEAGE: directory }), false],
    ["lego 5", (key, chain) => ({ LEGO_HOOK_CERT_KEY_PATH: key, LEGO_HOOK_CERT_PATH: chain }), false],
    ["lego 4", (key, chain) => ({ LEGO_CERT_KEY_PATH: key, LEGO_CERT_PATH: chain }), false],
    ["acme.sh", () => ({}), true],
  ])("%s: waits, and puts the certificate in place", (_, environment, hasWords) => {
    const { key, certificate } = issueCertificate({ subject: "mail.example.org", names });
    writeFileSync(at("privkey.pem"), key);
    writeFileSync(at("fullchain.pem"), certificate);
    const words = [at("privkey.pem"), at("fullchain.pem")] as const;
    const said = run("deploy-hook.sh", hasWords ? words : [], {
      HOST: "mail.example.org",
      ...environment(...words),
    });
    expect(said).toMatchObject({
      status: 0,
      calls: [WAIT.replace("KEY", "privkey.pem"), OLD_IN_USE, "reload"],
    });
    expect(read("tls/live.pem")).toBe(key + certificate);
  });

  it.each<[string, string, string, number]>([
    ["the wait fails", "mail.example.org", "exit 1", 1],
    ["the certificate is another host's", "www.example.org", "", 0],
  ])("changes nothing where %s", (_, name, after, status) => {
    standIn("zonepost", after);
    const { key, certificate } = issueCertificate({ subject: name, names: [name] });
    writeFileSync(at("privkey.pem"), key);
    writeFileSync(at("fullchain.pem"), certificate);
    const said = run("deploy-hook.sh", [at("privkey.pem"), at("fullchain.pem")], {
      HOST: "mail.example.org",
    });
    expect(said).toMatchObject({ status, calls: expect.not.arrayContaining(["reload"]) });
    expect(read("tls/live.pem")).toBe(read("before.pem"));
  });
});
