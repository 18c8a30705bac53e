/** One page of numbers for Prometheus, and nothing else. */
import { once } from "node:events";
import { createServer } from "node:http";

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

const REQUEST_MILLISECONDS = 5_000;
const MAX_CONNECTIONS = 20;

/** Rejects where the address cannot be had. `page` is asked for every request. */
export async function startMetricsServer(
  { address, port }: { readonly address: string; readonly port: number },
  page: () => string,
): Promise<MetricsServer> {
  const server = createServer(
    { requestTimeout: REQUEST_MILLISECONDS, maxHeaderSize: 8_192 },
    (request, response) => {
      const isRead = request.method === "GET" || request.method === "HEAD";
      const isKnown = request.url?.split("?")[0] === "/metrics";
      response.statusCode = isKnown ? (isRead ? 200 : 405) : 404;
      response.setHeader("connection", "close");
      if (response.statusCode !== 200) return response.end();
      response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
      return response.end(request.method === "HEAD" ? undefined : page());
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.listen({ host: address, port, exclusive: true });
  await once(server, "listening");
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
