/** A proxy in front of a server that answers as late as it is told, and keeps account of what it was asked. */
import { once } from "node:events";
import { createServer, request } from "node:http";

interface Asked {
  readonly method: string;
  readonly path: string;
  state: "under way" | "answered" | "let go";
}

export interface SlowProxy {
  readonly url: string;
  /** Of what is asked from now on below /api. */
  delayMilliseconds: number;
  /** In the order in which it came. */
  readonly asked: Asked[];
  close(): Promise<void>;
}

export async function startSlowProxy(target: string): Promise<SlowProxy> {
  const { host, origin, port } = new URL(target);
  const asked: Asked[] = [];
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
    const timer = setTimeout(forward, one.path.startsWith("/api/") ? proxy.delayMilliseconds : 0);
    outgoing.once("close", () => {
      clearTimeout(timer);
      one.state = outgoing.writableFinished ? "answered" : "let go";
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as { port: number };
  const proxy: SlowProxy = {
    url: `http://127.0.0.1:${address.port}`,
    delayMilliseconds: 0,
    asked,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return proxy;
}
