/** Processes by name, so that one that has died does not hold a zone any longer. */
import { readFileSync, readlinkSync } from "node:fs";
import type { Holders } from "../publish/apply.ts";

/** In this kernel and this space of process numbers; undefined where the system does not tell. */
function surroundings(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}

/** A number is given to another process some day, and the moment of its start then tells them apart (proc(5)). */
function startOf(pid: string): string | undefined {
  try {
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    // Dead, and its parent has not asked about it.
    return state === "Z" || state === "X" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

export function openHolders(): Holders {
  const here = surroundings();
  const own = `${process.pid} ${startOf(String(process.pid)) ?? "?"} ${here ?? "elsewhere"}`;
  return {
    own,
    isGone(holder) {
      const [pid = "", start, ...where] = holder.split(" ");
      if (here === undefined || where.join(" ") !== here || !/^\d+$/.test(pid)) return false;
      return startOf(pid) !== start;
    },
  };
}
