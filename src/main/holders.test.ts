import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { openHolders } from "./holders.ts";

const { own, isGone } = openHolders();
const [pid = "", start = "", ...where] = own.split(" ");
const named = (...parts: readonly (string | undefined)[]) => [...parts, ...where].join(" ");

it("takes neither itself nor whom it cannot see for gone", () => {
  expect(isGone(own)).toBe(false);
  expect(isGone(`${pid} 1 another-machine pid:[1]`)).toBe(false);
  expect(isGone("")).toBe(false);
});

it("knows who is gone: by the number, or by another start under the same number", async () => {
  expect(isGone(named(pid, String(Number(start) - 1)))).toBe(true);
  const child = spawn("/bin/true");
  await once(child, "exit");
  expect(isGone(named(String(child.pid), start))).toBe(true);
});

it("takes who is dead for gone, though its parent has not asked about it", async () => {
  // The shell's child has ended; what the shell has become never asks.
  const parent = spawn("/bin/sh", ["-c", "true & echo $!; exec sleep 30"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const [line] = (await once(parent.stdout!, "data")) as [Buffer];
    const zombie = line.toString().trim();
    await expect.poll(() => isGone(named(zombie, start))).toBe(true);
  } finally {
    parent.kill("SIGKILL");
  }
});
