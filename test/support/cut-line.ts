/** A line to a server of this machine that can be cut: nothing goes through any more, and neither end hears of it. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface CutLine {
  readonly port: number;
  /** Whoever connects afterwards gets through. */
  cut(): void;
  close(): Promise<void>;
}

export async function startCutLine(target: number): Promise<CutLine> {
  const open = new Set<Socket>();
  const all = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      all.add(from);
      from.on("data", (octets) => {
        if (open.has(from)) to.write(octets);
      });
      from.on("error", () => undefined);
      from.on("close", () => {
        if (open.has(from)) to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as { port: number }).port,
    cut: () => open.clear(),
    async close() {
      server.close();
      for (const socket of all) socket.destroy();
      await once(server, "close");
    },
  };
}
