/** HTTP to the APIs of DNS hosts: certificates checked, no redirects, bounds of time and size. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { rootCertificates } from "node:tls";
import type { HttpClient, HttpOutcome, HttpRequest } from "../publish/http.ts";

export interface HttpClientOptions {
  /** PEM; trusted beside the public ones. */
  readonly extraAuthorities?: readonly string[];
  /** For all of one request, from the connection to the end of the answer. */
  readonly deadlineMilliseconds?: number;
  readonly maxOctets?: number;
}

export interface OpenHttpClient {
  readonly request: HttpClient;
  close(): void;
}

const DEADLINE_MILLISECONDS = 30_000;
const MAX_OCTETS = 16 * 1024 * 1024;
const MAX_HEADER_OCTETS = 64 * 1024;
const MAX_CONNECTIONS = 4;

interface Means {
  readonly deadlineMilliseconds: number;
  readonly maxOctets: number;
  readonly ca: string[];
  readonly kept: { readonly http: HttpAgent; readonly https: HttpsAgent };
}

/**
 * Connections are kept for reading. Each request that changes something has a connection of its own: on a kept one,
 * that the server closes at this moment, nobody could tell whether the request came through.
 */
export function createHttpClient(options: HttpClientOptions = {}): OpenHttpClient {
  const { extraAuthorities = [] } = options;
  const agentOptions = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
  const means: Means = {
    deadlineMilliseconds: options.deadlineMilliseconds ?? DEADLINE_MILLISECONDS,
    maxOctets: options.maxOctets ?? MAX_OCTETS,
    ca: [...rootCertificates, ...extraAuthorities],
    kept: { http: new HttpAgent(agentOptions), https: new HttpsAgent(agentOptions) },
  };
  return {
    async request(request) {
      if (request.method !== "GET") return (await exchange(request, means, false)).outcome;
      const first = await exchange(request, means, true);
      return first.wasKept && first.outcome.status === "failed"
        ? (await exchange(request, means, false)).outcome
        : first.outcome;
    },
    close() {
      means.kept.http.destroy();
      means.kept.https.destroy();
    },
  };
}

interface Exchange {
  readonly outcome: HttpOutcome;
  /** Made on a connection that had served before, and had nothing to say any more. */
  readonly wasKept: boolean;
}

function exchange(request: HttpRequest, means: Means, mayKeep: boolean): Promise<Exchange> {
  return new Promise((resolve) => {
    const { method, headers, body } = request;
    const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      const detail = "the address of the API is not a URL of https or http";
      return resolve({ outcome: { status: "failed", detail, sent: false }, wasKept: false });
    }
    const isSecure = url.protocol === "https:";
    let sent = false;
    let hasAnswered = false;
    let timer: NodeJS.Timeout | undefined;
    const finish = (outcome: HttpOutcome) => {
      clearTimeout(timer);
      resolve({ outcome, wasKept: outgoing?.reusedSocket === true && !hasAnswered });
    };
    const fail = (problem: string) => finish({ status: "failed", detail: `${url.host}: ${problem}`, sent });

    const settings = {
      method,
      headers:
        body === undefined ? headers : { ...headers, "content-length": String(Buffer.byteLength(body)) },
      maxHeaderSize: MAX_HEADER_OCTETS,
    };
    let outgoing: ReturnType<typeof httpRequest> | undefined;
    try {
      outgoing = isSecure
        ? httpsRequest(url, { ...settings, ca: means.ca, agent: mayKeep ? means.kept.https : false })
        : httpRequest(url, { ...settings, agent: mayKeep ? means.kept.http : false });
    } catch (error) {
      return fail(error instanceof Error ? error.message : "the request cannot be made");
    }
    timer = setTimeout(() => {
      fail(`no whole answer within ${means.deadlineMilliseconds / 1000} s`);
      outgoing.destroy();
    }, means.deadlineMilliseconds);
    outgoing.on("socket", (socket) => {
      if (!socket.connecting && outgoing.reusedSocket) sent = true;
      else socket.once(isSecure ? "secureConnect" : "connect", () => (sent = true));
    });
    outgoing.on("error", (error) => fail(problemText(error)));
    outgoing.on("response", (answer) => {
      hasAnswered = true;
      readAnswer(answer, means.maxOctets, (problem, text) => {
        if (problem !== undefined) {
          fail(problem);
          outgoing.destroy();
        } else {
          finish({
            status: "answered",
            httpStatus: answer.statusCode ?? 0,
            headers: headersOf(answer),
            body: text,
          });
        }
      });
    });
    outgoing.end(body);
  });
}

function readAnswer(
  answer: IncomingMessage,
  maxOctets: number,
  done: (problem: string | undefined, text: string) => void,
): void {
  const chunks: Buffer[] = [];
  let octets = 0;
  answer.on("data", (chunk: Buffer) => {
    octets += chunk.length;
    if (octets > maxOctets) done(`the answer is longer than ${maxOctets} octets`, "");
    else chunks.push(chunk);
  });
  answer.on("end", () => {
    if (answer.complete) done(undefined, Buffer.concat(chunks).toString("utf8"));
  });
  answer.on("error", () => {});
  answer.on("close", () => {
    if (!answer.complete) done("the answer breaks off", "");
  });
}

function headersOf(answer: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
}

function problemText(error: Error & { readonly code?: unknown }): string {
  const { code, message } = error;
  return typeof code === "string" && !message.includes(code) ? `${message} (${code})` : message;
}
