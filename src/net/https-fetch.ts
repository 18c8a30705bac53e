/** One HTTPS request to a given address: no name looked up, no redirect followed, nothing unpacked. */
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";
import type { Broken, HttpsAnswer, HttpsProbe, HttpsRequest, NoConnection } from "../check/probe.ts";
import type { IpAddress } from "../standards/dns/address.ts";
import { connectTo, type Deadline, endpointText } from "./connection.ts";
import { shakeHands } from "./tls-probe.ts";

interface Means {
  readonly context: SecureContext;
  readonly connectTimeoutMilliseconds: number;
  readonly deadline: Deadline;
}

const HTTPS_PORT = 443;
const MAX_ADDRESSES = 4;
const MAX_HEADER_OCTETS = 16 * 1024;
const MAX_INTERIM_ANSWERS = 8;

export async function fetchHttps(request: HttpsRequest, means: Means): Promise<HttpsProbe> {
  const { host, port = HTTPS_PORT } = request;
  const connected = await connectToAny(request.addresses, port, means);
  if ("status" in connected) return connected;
  const { socket, address } = connected;
  const where = endpointText({ address, port });
  try {
    const hands = await shakeHands({
      socket,
      where,
      serverName: host,
      context: means.context,
      applicationProtocols: ["http/1.1"],
      deadline: means.deadline,
    });
    if (!hands.ok) {
      const { status, detail } = hands.tls;
      return { status: status === "failed" ? "tls-failed" : "broken", detail };
    }
    try {
      const answer = await ask(request, hands.socket, where, means.deadline);
      return answer.status === "broken" ? answer : { ...answer, address, tls: hands.session };
    } finally {
      hands.socket.destroy();
    }
  } finally {
    socket.destroy();
  }
}

/** The first that connects; where none does, what the first one said, and how many others there were. */
async function connectToAny(
  addresses: readonly IpAddress[],
  port: number,
  { connectTimeoutMilliseconds, deadline }: Means,
): Promise<{ socket: Socket; address: IpAddress } | NoConnection | Broken> {
  const failures: (NoConnection | Broken)[] = [];
  for (const address of addresses.slice(0, MAX_ADDRESSES)) {
    const socket = await connectTo({ address, port }, connectTimeoutMilliseconds, deadline);
    if (!("status" in socket)) return { socket, address };
    failures.push(socket);
  }
  const [first] = failures;
  if (first === undefined) return { status: "unreachable", detail: "there is no address to connect to" };
  return { ...first, detail: failures.map(({ detail }) => detail).join("; ") };
}

function ask(
  { host, port = HTTPS_PORT, path, maxOctets, post }: HttpsRequest,
  socket: TLSSocket,
  where: string,
  deadline: Deadline,
): Promise<Omit<HttpsAnswer, "address" | "tls"> | Broken> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      createConnection: () => socket,
      method: post ? "POST" : "GET",
      path,
      setHost: false,
      maxHeaderSize: MAX_HEADER_OCTETS,
      headers: {
        host: port === HTTPS_PORT ? host : `${host}:${port}`,
        accept: "*/*",
        "accept-encoding": "identity",
        connection: "close",
        "user-agent": "zonepost",
        ...(post && { "content-type": post.contentType, "content-length": Buffer.byteLength(post.body) }),
      },
    });
    const settle = (outcome: Omit<HttpsAnswer, "address" | "tls"> | Broken) => {
      deadline.signal.removeEventListener("abort", giveUp);
      resolve(outcome);
      request.destroy();
    };
    const fail = (problem: string) => settle({ status: "broken", detail: `${where} ${problem}` });
    const giveUp = () => fail(`did not end its HTTP answer within ${deadline.text}`);
    if (deadline.signal.aborted) giveUp();
    deadline.signal.addEventListener("abort", giveUp, { once: true });
    let interim = 0;
    request.on("information", () => {
      if (++interim > MAX_INTERIM_ANSWERS) fail("sent interim HTTP answers without end");
    });
    request.on("error", (error: NodeJS.ErrnoException) => fail(requestProblem(error)));
    request.on("upgrade", () => fail("answered with another protocol than HTTP"));
    request.on("response", (response) => {
      readBody(response, maxOctets).then((body) => {
        if (!body.ok) return fail(body.problem);
        const { "content-type": contentType, location } = response.headers;
        settle({
          status: "answered",
          httpStatus: response.statusCode ?? 0,
          ...(contentType !== undefined && { contentType: contentType.toLowerCase() }),
          ...(location !== undefined && { location }),
          body: body.text,
        });
      }, reject);
    });
    request.end(post?.body);
  });
}

function requestProblem({ code = "", message }: NodeJS.ErrnoException): string {
  if (code === "HPE_HEADER_OVERFLOW") return "sent an HTTP header of more than 16 KiB";
  if (code.startsWith("HPE_")) return `answered something other than HTTP: ${message}`;
  return `closed the connection before the end of its HTTP answer (${code || message})`;
}

type Body = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

function readBody(response: IncomingMessage, maxOctets: number): Promise<Body> {
  const problem = (text: string): Body => ({ ok: false, problem: text });
  const tooLarge = `sent more than ${maxOctets} octets`;
  return new Promise((resolve) => {
    // An error may come after the outcome is told; it must find a listener.
    response.on("error", () => resolve(problem("closed the connection before the end of its HTTP answer")));
    const { "content-encoding": encoding = "identity", "content-length": length } = response.headers;
    if (encoding.toLowerCase() !== "identity")
      return resolve(problem(`sent its answer as ${encoding}, unasked`));
    if (Number(length) > maxOctets) return resolve(problem(tooLarge));
    const chunks: Buffer[] = [];
    let octets = 0;
    response.on("data", (chunk: Buffer) => {
      octets += chunk.length;
      if (octets > maxOctets) {
        chunks.length = 0;
        response.destroy();
        return resolve(problem(tooLarge));
      }
      chunks.push(chunk);
    });
    response.on("end", () => resolve({ ok: true, text: Buffer.concat(chunks).toString("utf8") }));
  });
}
