/** The HTTP side of a DNS host's API, as a test plays it: real HTTP on loopback, with faults on purpose. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ApiRequest {
  readonly method: string;
  readonly url: URL;
  /** Decoded. */
  readonly segments: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ApiReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON where it is no text. */
  readonly body?: unknown;
}

export type Fault =
  /** Instead of doing anything. */
  | { readonly reply: ApiReply }
  /** Somebody else's change, in the moment before this request is looked at. */
  | { readonly first: () => void }
  | "reset"
  /** Carried out, and then: */
  | "reset after"
  | "half an answer"
  | "garbage";

export interface PlannedFault {
  readonly on: "read" | "write";
  /** So many such requests go well before. */
  readonly skip?: number;
  readonly fault: Fault;
}

export interface ApiServer {
  readonly url: string;
  /** "GET /zones?page=1" */
  readonly log: string[];
  plan(fault: PlannedFault): void;
  /** Faults that nobody met. */
  forgetPlans(): void;
  close(): Promise<void>;
}

export async function startApiServer(handle: (request: ApiRequest) => ApiReply): Promise<ApiServer> {
  const log: string[] = [];
  const planned: { on: "read" | "write"; skip: number; fault: Fault }[] = [];

  const faultFor = (method: string): Fault | undefined => {
    const kind = method === "GET" ? "read" : "write";
    const at = planned.findIndex(({ on }) => on === kind);
    const next = planned[at];
    if (next === undefined) return undefined;
    if (next.skip-- > 0) return undefined;
    planned.splice(at, 1);
    return next.fault;
  };

  const answer = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request = await received(incoming);
    log.push(`${request.method} ${request.url.pathname}${request.url.search}`);
    const fault = faultFor(request.method);
    if (fault === "reset") return incoming.socket.destroy();
    if (typeof fault === "object" && "first" in fault) fault.first();
    const reply = typeof fault === "object" && "reply" in fault ? fault.reply : handle(request);
    if (fault === "reset after") return incoming.socket.destroy();
    const body =
      typeof reply.body === "string"
        ? reply.body
        : reply.body === undefined
          ? ""
          : JSON.stringify(reply.body);
    const text = fault === "garbage" ? `{"half": [<html>` : body;
    response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
    if (fault !== "half an answer") return response.end(text);
    response.write(text.slice(0, Math.ceil(text.length / 2)) || " ");
    return setTimeout(() => incoming.socket.destroy(), 20);
  };

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      response.writeHead(599).end(String(error));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    log,
    plan: ({ on, skip = 0, fault }) => planned.push({ on, skip, fault }),
    forgetPlans: () => planned.splice(0),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function received(incoming: IncomingMessage): Promise<ApiRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const url = new URL(incoming.url ?? "/", "http://localhost");
  return {
    method: incoming.method ?? "GET",
    url,
    segments: url.pathname.split("/").filter(Boolean).map(decodeURIComponent),
    headers: incoming.headers as Record<string, string>,
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

/** So many of a list that begins at page 1. */
export function pageOf<T>(
  all: readonly T[],
  page: number,
  size: number,
): { readonly items: readonly T[]; readonly pages: number } {
  return {
    items: all.slice((page - 1) * size, page * size),
    pages: Math.max(1, Math.ceil(all.length / size)),
  };
}
