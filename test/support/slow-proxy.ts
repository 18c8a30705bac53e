/** A proxy in front of a server that holds what comes while it is told to, and keeps account of what it was asked. */
import { once } from "node:events";
import { createServer, request } from "node:http";

interface Asked {
  readonly method: string;
  readonly path: string;
  state: "under way" | "answered" | "let go";
}

export interface SlowProxy {
  readonly url: string;
  /** What is asked below /api goes no further until it is let through. */
  hold(): void;
  letThrough(): void;
  /** In the order in which it came. */
  readonly asked: Asked[];
  close(): Promise<void>;
}

export async function startSlowProxy(target: string): Promise<SlowProxy> {
  const { host, origin, port } = new URL(target);
  const asked: Asked[] = [];
  let isHolding = false;
  const held = new Set<() => void>();
  const server = createServer((incoming, outgoing) => {
    const one: Asked = { method: incoming.method ?? "", path: incoming.url ?? "", state: "under way" };
    asked.push(one);
    const headers = { ...incoming.headers, host, ...(incoming.headers.origin && { origin }) };
    const forward = () => {
      const onward = request(
        { host: "127.0.0.1", port, method: one.method, path: one.path, headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
          answer.pipe(outgoing);
        },
      );
      onward.on("error", () => outgoing.destroy());
      outgoing.once("close", () => onward.destroy());
      incoming.pipe(onward);
    };
    if (isHolding && one.path.startsWith("/api/")) held.add(forward);
    else forward();
    outgoing.once("close", () => {
      held.delete(forward);
      one.state = outgoing.writableFinished ? "answered" : "let go";
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    hold() {
      isHolding = true;
    },
    letThrough() {
      isHolding = false;
      for (const forward of held) forward();
      held.clear();
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
