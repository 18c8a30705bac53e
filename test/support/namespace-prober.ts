/** The prober inside a network namespace: a process of its own that is asked from outside. */
import type { Prober } from "../../src/check/probe.ts";
import type { ProberOptions } from "../../src/net/service-probe.ts";
import { startInNamespace } from "./namespace-process.ts";
import type { NetworkNamespace } from "./network-namespace.ts";

export interface NamespaceProber extends Prober {
  stop(): Promise<void>;
}

export async function startProber(
  namespace: NetworkNamespace,
  options: ProberOptions,
): Promise<NamespaceProber> {
  const { ask, stop } = startInNamespace(namespace, new URL("./prober-process.ts", import.meta.url));
  await ask("open", options);
  return {
    probeService: (target) => ask("probeService", target),
    fetchHttps: (request) => ask("fetchHttps", request),
    stop,
  };
}
