/** `zonepost keys` as users run it, on a BIND that takes updates: killed again and again, it gets there all the same. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startBind } from "../support/bind.ts";
import { freePort } from "../support/dns-program.ts";
import { startKnot } from "../support/knot.ts";
import { Stoppables, zoneText } from "../support/laboratory.ts";
import { describeWithServers, findProgram } from "../support/real-server.ts";

const ROOT_SERVER = "127.0.11.1";
const BIND = "127.0.0.1";
const ZONE = "rotated.example";
/** Short, so that a test can see it pass. */
const NEGATIVE_TTL_SECONDS = 2;

describeWithServers(["named", "knotd", "nsupdate"], "zonepost keys on real servers", () => {
  const world = new Stoppables();
  const folder = mkdtempSync(join(tmpdir(), "zonepost-keys-"));
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    const short = (apex: string, lines: readonly string[]) => {
      const zone = zoneText(apex, 1, ["@ NS ns1", `ns1 A ${BIND}`, ...lines]);
      return { ...zone, text: zone.text.replace("86400 60", `86400 ${NEGATIVE_TTL_SECONDS}`) };
    };
    const delegations = [ZONE, "pool.example"].flatMap((zone) => [
      `${zone} NS ns1.${zone}`,
      `ns1.${zone} A ${BIND}`,
    ]);
    world.add(
      await startKnot({
        address: ROOT_SERVER,
        port,
        zones: [zoneText(".", 1, ["@ NS ns.root.", `ns.root. A ${ROOT_SERVER}`, ...delegations])],
      }),
    );
    world.add(
      await startBind({
        address: BIND,
        port,
        zones: [short(ZONE, ["alias._domainkey CNAME alias.pool.example."]), short("pool.example", [])],
        zoneStatements: () => "allow-update { localhost; };",
      }),
    );
    writeFileSync(join(folder, "hints"), `. NS ns.root.\nns.root. A ${ROOT_SERVER}\n`);
  }, 60_000);

  afterAll(async () => {
    await world.stopAll();
    rmSync(folder, { recursive: true, force: true });
  });

  const words = (command: string) => {
    const [name = "", ...rest] = command.split(" ");
    const dns = ["test", "rotate"].includes(name)
      ? [
          "--root-hints",
          join(folder, "hints"),
          "--dns-port",
          String(port),
          "--resolver",
          `${ROOT_SERVER}:${port}`,
        ]
      : [];
    return ["src/main.ts", "keys", name, ...rest, "--state", join(folder, "state"), ...dns];
  };

  async function keys(command: string): Promise<{ out: string; exitCode: number }> {
    const run = promisify(execFile)(process.execPath, words(command), { encoding: "utf8" });
    const { stdout, code } = await run.then(
      (done) => ({ ...done, code: 0 }),
      (failed: { stdout: string; code: number }) => failed,
    );
    return { out: stdout, exitCode: code };
  }

  async function killed(command: string, afterMilliseconds: number): Promise<void> {
    const child = spawn(process.execPath, words(command), { stdio: "ignore" });
    const timer = setTimeout(() => child.kill("SIGKILL"), afterMilliseconds);
    await once(child, "close");
    clearTimeout(timer);
  }

  const statesOf = async (): Promise<string[]> =>
    JSON.parse((await keys("list --json")).out).map(
      ({ dkimSelector, state }: { dkimSelector: string; state: string }) => `${dkimSelector} ${state}`,
    );

  async function publish(
    selector: string,
    zone = ZONE,
    owner = `${selector}._domainkey.${ZONE}`,
  ): Promise<void> {
    const { shapes } = JSON.parse((await keys(`show ${ZONE} --selector ${selector} --json`)).out);
    const data = /TXT (.*)$/.exec(shapes["zone file"])![1];
    const input = `server ${BIND} ${port}\nzone ${zone}.\nupdate add ${owner}. 60 TXT ${data}\nsend\n`;
    execFileSync(findProgram("nsupdate")!, [], { input });
  }

  it("gets from one key to the next, killed at any moment", async () => {
    await keys(`generate ${ZONE} --selector one`);
    expect((await keys(`test ${ZONE}`)).out).toMatch(
      /one\._domainkey\.rotated\.example => invalid \(public key: not available\)/,
    );
    expect((await keys(`rotate ${ZONE}`)).out).toMatch(/publish one/);
    await publish("one");
    const begun = performance.now();
    expect((await keys(`rotate ${ZONE}`)).out).toMatch(/wait one, until/);
    // From before the store is opened until after all is done.
    const whole = performance.now() - begun;
    const moments = Array.from({ length: 8 }, (_, at) => whole * (0.4 + at * 0.08));
    await sleep(NEGATIVE_TTL_SECONDS * 1000 + 200);
    for (const moment of moments) await killed(`rotate ${ZONE}`, moment);
    await keys(`rotate ${ZONE}`);
    expect(await statesOf()).toEqual(["one signing"]);
    expect(await keys(`test ${ZONE}`)).toEqual({
      out: "TESTING#1: one._domainkey.rotated.example => pass\n",
      exitCode: 0,
    });

    await keys(`rotate ${ZONE} --begin --selector two`);
    await publish("two");
    await keys(`rotate ${ZONE}`);
    await sleep(NEGATIVE_TTL_SECONDS * 1000 + 200);
    for (const moment of moments) {
      await killed(`rotate ${ZONE}`, moment);
      const states = await statesOf();
      expect(
        states.filter((state) => state.endsWith("signing")),
        "one key signs at any moment",
      ).toHaveLength(1);
      expect(states).toHaveLength(2);
    }
    await keys(`rotate ${ZONE}`);
    expect(await statesOf()).toEqual(["one retiring", "two signing"]);
  }, 120_000);

  it("follows an alias into another zone", async () => {
    await keys(`generate ${ZONE} --selector alias`);
    expect((await keys(`test ${ZONE} --selector alias`)).exitCode).toBe(2);
    await publish("alias", "pool.example", "alias.pool.example");
    const { out, exitCode } = await keys(`test ${ZONE} --selector alias`);
    expect(out).toMatch(/=> pass/);
    expect(exitCode).toBe(0);
  }, 60_000);
});
