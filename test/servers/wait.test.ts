/** `zonepost wait` as users run it: BIND has the record, Knot gets it a moment later, Unbound remembers that it was not there. */

import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { WaitResult } from "../../src/interface/cli/wait.ts";
import { createDnsTransport } from "../../src/net/dns-transport.ts";
import { createRecursiveView } from "../../src/net/recursive-resolver.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { startBind } from "../support/bind.ts";
import { freePort } from "../support/free-port.ts";

import { startKnot } from "../support/knot.ts";
import { Stoppables, signZone, zoneText } from "../support/laboratory.ts";
import { describeWithServers, findProgram } from "../support/real-server.ts";
import { startUnbound } from "../support/unbound.ts";

const ROOT_SERVER = "127.0.8.1";
const PARENT_SERVER = "127.0.8.2";
const BIND = "127.0.0.1";
const KNOT = "127.0.8.4";
const RESOLVER = "127.0.8.6";

const VALUE = "v=DMARC1; p=none";
/** Short, so that a test can see it pass. */
const NEGATIVE_TTL_SECONDS = 20;

/** `records` are those that are there from the beginning. */
const mailZone = (records: readonly string[]) => {
  const { apex, text } = zoneText("moved.example", 1, [
    "@ NS ns1.servers.example.",
    "@ NS ns2.servers.example.",
    "@ MX 10 mail",
    "mail A 198.18.0.25",
    ...records,
  ]);
  return { apex, text: text.replace("86400 60", `86400 ${NEGATIVE_TTL_SECONDS}`) };
};

describeWithServers(["named", "knotd", "unbound", "nsupdate"], "zonepost wait on real servers", () => {
  const world = new Stoppables();
  const folder = mkdtempSync(join(tmpdir(), "zonepost-wait-"));
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    const parent = signZone(
      zoneText("example", 1, [
        "@ NS ns.parent",
        `ns.parent A ${PARENT_SERVER}`,
        "moved NS ns1.servers",
        "moved NS ns2.servers",
        `ns1.servers A ${BIND}`,
        `ns2.servers A ${KNOT}`,
      ]),
    );
    const root = signZone(
      zoneText(".", 1, [
        "@ NS ns.root.",
        `ns.root. A ${ROOT_SERVER}`,
        "example NS ns.parent.example.",
        `ns.parent.example A ${PARENT_SERVER}`,
        parent.ds,
      ]),
    );
    const fresh = ["a", "b"].map((name) => `${name} 300 TXT "${VALUE}"`);
    const started = [
      startKnot({ address: ROOT_SERVER, port, zones: [root] }),
      startKnot({ address: PARENT_SERVER, port, zones: [parent] }),
      startBind({ address: BIND, port, zones: [mailZone(fresh)] }),
      startKnot({
        address: KNOT,
        port,
        zones: [mailZone([])],
        sections: "acl:\n  - id: local\n    address: 127.0.0.0/8\n    action: update",
        zoneLines: () => "    acl: local",
      }),
    ].map(async (starting) => world.add(await starting));
    await Promise.all(started);
    const stubs: [string, string[]][] = [
      [".", [ROOT_SERVER]],
      ["example", [PARENT_SERVER]],
      // The one that is late: what this resolver remembers is what it said.
      ["moved.example", [KNOT]],
    ];
    world.add(
      await startUnbound({
        address: RESOLVER,
        port,
        zones: stubs.map(([apex, addresses]) => ({
          apex: domainName(apex),
          servers: addresses.map((address) => ({ address, port })),
        })),
        trustAnchor: root.key.replaceAll('"', ""),
      }),
    );
    writeFileSync(join(folder, "hints"), `. NS ns.root.\nns.root. A ${ROOT_SERVER}\n`);
  }, 120_000);

  afterAll(async () => {
    await world.stopAll();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The process itself, as installed. */
  async function wait(...words: string[]): Promise<{ out: string; exitCode: number }> {
    const laboratory = ["--root-hints", join(folder, "hints"), "--dns-port", String(port)];
    const all = ["src/main.ts", "wait", ...words, "--resolver", `${RESOLVER}:${port}`, ...laboratory];
    const run = promisify(execFile)(process.execPath, all, { encoding: "utf8" });
    const { stdout, code } = await run.then(
      (done) => ({ ...done, code: 0 }),
      (failed: { stdout: string; code: number }) => failed,
    );
    return { out: stdout, exitCode: code };
  }

  async function askResolver(name: string): Promise<string> {
    const transport = createDnsTransport();
    const view = createRecursiveView({ server: { address: RESOLVER, port }, transport, now: Date.now });
    const { status } = await view.lookup(domainName(name), "TXT");
    transport.close();
    return status;
  }

  const publishAtKnot = (name: string) =>
    execFileSync(findProgram("nsupdate")!, [], {
      input: `server ${KNOT} ${port}\nzone moved.example.\nupdate add ${name}. 300 TXT "${VALUE}"\nsend\n`,
    });

  it("keeps away from the resolver until the second server has it, and then finds it everywhere", async () => {
    const waiting = wait("a.moved.example", "TXT", VALUE, "--interval", "0.5s", "--timeout", "90s", "--json");
    await sleep(4_000);
    publishAtKnot("a.moved.example");
    const { out, exitCode } = await waiting;
    const { verdict, seconds, records } = JSON.parse(out) as WaitResult;
    // Had the resolver been asked before, it would remember the absence for some seconds more.
    expect({ exitCode, verdict }).toEqual({ exitCode: 0, verdict: "visible" });
    expect(seconds).toBeLessThan(NEGATIVE_TTL_SECONDS);
    expect(records[0]?.oldTtlSeconds).toBe(NEGATIVE_TTL_SECONDS);
    expect(records[0]?.seen.map(({ kind, arrived }) => `${kind} ${arrived}`)).toEqual([
      "name server yes",
      "name server yes",
      "resolver yes",
    ]);
  }, 120_000);

  it("says until when a resolver may remember that it was not there, and sees it let go", async () => {
    expect(await askResolver("b.moved.example")).toBe("absent");
    const early = await wait("b.moved.example", "TXT", VALUE, "--once");
    expect(early.exitCode).toBe(1);
    expect(early.out).toMatch(
      /✓ name server ns1\.servers\.example[\s\S]*· name server ns2\.servers\.example/,
    );
    expect(early.out).toContain("Resolvers are not asked before every name server has it");

    publishAtKnot("b.moved.example");
    const held = await wait("b.moved.example", "TXT", VALUE, "--once");
    expect(held.exitCode).toBe(1);
    expect(held.out).toMatch(
      new RegExp(
        `· resolver ${RESOLVER}:${port}\\n +no such name\\n +may be cached until \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC`,
      ),
    );

    const done = await wait("b.moved.example", "TXT", VALUE, "--interval", "0.5s", "--timeout", "90s");
    expect(done).toEqual({ exitCode: 0, out: expect.stringContaining("visible everywhere") });
  }, 120_000);
});
