/** A network of the test's own, with real ports: one namespace, all its addresses on loopback, no way out. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { parseAddress } from "../../src/standards/dns/address.ts";
import { findProgram } from "./real-server.ts";

export interface NetworkNamespace {
  readonly name: string;
  /** Adds addresses to those that there are. */
  addAddresses(addresses: readonly string[]): void;
  /** Runs a program inside. Rejects with its words where it fails. */
  run(program: string, args: readonly string[], input?: string): Promise<string>;
  remove(): void;
}

export interface NamespaceOptions {
  readonly addresses: readonly string[];
  /** Where clients come from, for each family: a server treats a client at its own address as one of its own. */
  readonly clients?: readonly string[];
  /** Networks where every packet is lost without a word. */
  readonly silentNetworks?: readonly string[];
  /** What programs inside find in resolv.conf; that of the machine where absent. */
  readonly nameServer?: string;
}

const IP = findProgram("ip") ?? "ip";
let count = 0;

/** Needs to be root. Removed with `remove()`, or at the latest with the test's process. */
export function makeNamespace({
  addresses,
  clients = ["198.18.0.1", "2001:db8::1"],
  silentNetworks = [],
  nameServer,
}: NamespaceOptions): NetworkNamespace {
  const name = `zonepost-${process.pid}-${++count}`;
  execFileSync(IP, ["netns", "add", name]);
  // `ip netns exec` puts what lies there over /etc.
  const files = `/etc/netns/${name}`;
  const remove = () => {
    process.off("exit", remove);
    execFileSync(IP, ["netns", "del", name], { stdio: "ignore" });
    if (nameServer !== undefined) rmSync(files, { recursive: true, force: true });
  };
  process.on("exit", remove);
  const configure = (lines: readonly string[]) =>
    execFileSync(IP, ["-n", name, "-batch", "-"], { input: `${lines.join("\n")}\n` });
  const assign = (all: readonly string[]) =>
    configure(all.map((each) => `addr add ${each}/${isIpv6(each) ? "128 nodad" : "32"} dev lo`));
  const addAddresses = (more: readonly string[]) => {
    assign(more);
    configure(
      more.flatMap((each) => {
        const client = clients.find((candidate) => isIpv6(candidate) === isIpv6(each));
        if (client === undefined) return [];
        const route = `table local local ${each} dev lo src ${client}`;
        // For IPv6 the kernel's own route stays beside the new one, and wins.
        return isIpv6(each)
          ? [`route del table local local ${each} dev lo`, `route add ${route}`]
          : [`route replace ${route}`];
      }),
    );
  };
  try {
    if (nameServer !== undefined) {
      mkdirSync(files, { recursive: true });
      writeFileSync(join(files, "resolv.conf"), `nameserver ${nameServer}\n`);
    }
    configure(["link set lo up"]);
    assign(clients);
    addAddresses(addresses);
    if (silentNetworks.length > 0) {
      configure([
        "link add silent type bridge",
        "link set silent arp off up",
        ...silentNetworks.map((network) => `route add ${network} dev silent`),
      ]);
    }
  } catch (error) {
    remove();
    throw error;
  }
  return {
    name,
    addAddresses,
    remove,
    async run(program, args, input = "") {
      const child = spawn(IP, ["netns", "exec", name, program, ...args], { stdio: "pipe" });
      child.stdin.end(input);
      const exited = new Promise<number | null>((resolve, reject) => {
        child.on("error", reject);
        child.on("close", resolve);
      });
      const [output, words, code] = await Promise.all([readAll(child.stdout), readAll(child.stderr), exited]);
      if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output}${words}`);
      return output;
    },
  };
}

const isIpv6 = (address: string): boolean => address.includes(":");

/** Whether all of them are listened on, in the network of that process. */
export function isListening(
  pid: number,
  endpoints: readonly { readonly address: string; readonly port: number }[],
): boolean {
  const listening = new Set(["tcp", "tcp6"].flatMap((table) => listeningOn(pid, table)));
  return endpoints.every(({ address, port }) => listening.has(`${kernelHex(address)}:${port}`));
}

/** State 0A is LISTEN. */
function listeningOn(pid: number, table: string): readonly string[] {
  let lines: readonly string[];
  try {
    lines = readFileSync(`/proc/${pid}/net/${table}`, "utf8").split("\n").slice(1);
  } catch {
    return []; // not yet there, or over
  }
  return lines.flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const [address, port = ""] = local.split(":");
    return state === "0A" ? [`${address}:${Number.parseInt(port, 16)}`] : [];
  });
}

/** The kernel writes addresses as words of 32 bits in the machine's order of octets (little-endian). */
function kernelHex(text: string): string {
  const address = parseAddress(text);
  if (!address.ok) throw new TypeError(address.problem);
  const octets = Buffer.from(address.value.octets);
  return octets.swap32().toString("hex").toUpperCase();
}
