/**
 * Posts an alert to an address that a user gave: it must not become a way into our own network. The name is looked up
 * once, and connected to is what was found and judged, one address after the other until one is reached; redirects are
 * not followed; little is read.
 */
import { lookup as lookupHost } from "node:dns/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { parseAddress, specialPurpose, unmapped } from "../standards/dns/address.ts";
import type { AlertRequest } from "../watch/alert-request.ts";
import type { PostOutcome } from "../watch/alerts.ts";

export interface AlertPostOptions {
  /** Also http, for a receiver on the same host. */
  readonly allowPlain?: boolean;
  /** Also private, loopback and other special addresses. */
  readonly allowPrivate?: boolean;
  /** The system's resolver where absent. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
  /** PEM; beside the public ones. */
  readonly authorities?: readonly string[];
  /** For all of it; 10 s where absent. */
  readonly deadlineMilliseconds?: number;
}

const DEADLINE_MILLISECONDS = 10_000;
const MAX_HEADER_OCTETS = 16 * 1024;
const MAX_BODY_OCTETS = 16 * 1024;
const MAX_REQUEST_OCTETS = 1024 * 1024;
const MAX_ADDRESSES = 16;
/** Where there is another address: an IPv6 that leads nowhere says nothing. */
const MOST_TO_CONNECT = 3_000;

const systemLookup = async (host: string): Promise<string[]> =>
  (await lookupHost(host, { all: true })).map(({ address }) => address);

/** Never rejects for what a receiver, or its DNS, can do. */
export function createAlertPost(
  options: AlertPostOptions = {},
): (request: AlertRequest) => Promise<PostOutcome> {
  return async ({ url: text, headers, body }) => {
    if (!URL.canParse(text)) return refused("its address is no URL");
    const url = new URL(text);
    if (url.protocol !== "https:" && !(url.protocol === "http:" && options.allowPlain))
      return refused(`${url.protocol} is not allowed: https is`);
    if (url.username !== "" || url.password !== "") return refused("its address holds a user or password");
    if (Buffer.byteLength(body) > MAX_REQUEST_OCTETS) return refused("the message is too large");
    const milliseconds = options.deadlineMilliseconds ?? DEADLINE_MILLISECONDS;
    const signal = AbortSignal.timeout(milliseconds);
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const found = await addressesOf(host, options, signal);
    if ("status" in found) return found;
    const end = performance.now() + milliseconds;
    let outcome: Exchanged = failed(`${host} has no address`);
    for (const [at, address] of found.addresses.entries()) {
      // The last has all the time that is left.
      const left = found.addresses.length - at;
      const share = left === 1 ? undefined : Math.min(MOST_TO_CONNECT, (end - performance.now()) / left);
      outcome = await exchange(url, host, address, {
        headers,
        body,
        signal,
        milliseconds,
        options,
        ...(share !== undefined && { connectMilliseconds: share }),
      });
      // Whoever was reached may have the message.
      if (!outcome.isUnreached) break;
    }
    const { isUnreached: _, ...told } = outcome;
    return told;
  };
}

type Exchanged = PostOutcome & { readonly isUnreached?: true };

async function addressesOf(
  host: string,
  { allowPrivate, lookup = systemLookup }: AlertPostOptions,
  signal: AbortSignal,
): Promise<{ readonly addresses: readonly string[] } | PostOutcome> {
  let texts: readonly string[] = [host];
  if (isIP(host) === 0) {
    try {
      texts = await Promise.race([lookup(host), rejectAt(signal)]);
    } catch {
      return failed(`${host} could not be looked up`);
    }
  }
  const addresses = texts.slice(0, MAX_ADDRESSES).flatMap((text) => {
    const parsed = parseAddress(text);
    return parsed.ok ? [parsed.value] : [];
  });
  if (addresses.length === 0) return failed(`${host} has no address`);
  // One bad address among good ones is a trick as well.
  const special = allowPrivate
    ? undefined
    : addresses.find((each) => specialPurpose(unmapped(each)) !== undefined || hidesIpv4(each.octets));
  if (special !== undefined) return refused(`${host} is at ${special.text}, which is no public address`);
  return { addresses: addresses.map(({ text }) => text) };
}

/** NAT64 and 6to4 lead to the IPv4 address inside: whose that is cannot be seen here. */
const hidesIpv4 = (octets: Uint8Array): boolean =>
  octets.length === 16 &&
  ((octets[0] === 0x20 && octets[1] === 0x02) ||
    (octets[0] === 0x00 && octets[1] === 0x64 && octets[2] === 0xff && octets[3] === 0x9b));

function rejectAt(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("too late")), { once: true });
  });
}

interface Exchange {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  readonly milliseconds: number;
  /** For the connection alone. */
  readonly connectMilliseconds?: number;
  readonly options: AlertPostOptions;
}

function exchange(
  url: URL,
  host: string,
  address: string,
  { headers, body, signal, milliseconds, connectMilliseconds, options }: Exchange,
): Promise<Exchanged> {
  const isSecure = url.protocol === "https:";
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  return new Promise((resolve) => {
    const shared = {
      host: address,
      port,
      method: "POST",
      path: url.pathname + url.search,
      agent: false,
      setHost: false,
      maxHeaderSize: MAX_HEADER_OCTETS,
      headers: {
        ...headers,
        host: url.host,
        "user-agent": "zonepost",
        "content-length": Buffer.byteLength(body),
        connection: "close",
      },
    } as const;
    const request = isSecure
      ? httpsRequest({
          ...shared,
          ...(isIP(host) === 0 && { servername: host }),
          ...(options.authorities && { ca: [...options.authorities] }),
        })
      : httpRequest(shared);
    let isReached = false;
    const patience =
      connectMilliseconds === undefined
        ? undefined
        : setTimeout(() => unreached(`${host} did not answer at ${address}`), connectMilliseconds);
    const unreached = (detail: string) => settle({ ...failed(detail), isUnreached: true });
    const settle = (outcome: Exchanged) => {
      signal.removeEventListener("abort", late);
      clearTimeout(patience);
      resolve(outcome);
      request.destroy();
    };
    const late = () => settle(failed(`${host} did not answer within ${milliseconds / 1000} s`));
    if (signal.aborted) late();
    signal.addEventListener("abort", late, { once: true });
    request.on("socket", (socket) =>
      socket.once("connect", () => {
        isReached = true;
        clearTimeout(patience);
      }),
    );
    request.on("error", (error) => {
      const detail = `${host}: ${error.message.slice(0, 200)}`;
      return isReached ? settle(failed(detail)) : unreached(detail);
    });
    request.on("upgrade", () => settle(refused(`${host} answered with another protocol`)));
    request.on("response", (response) => {
      const status = response.statusCode ?? 0;
      let octets = 0;
      response.on("error", () => settle(failed(`${host} broke off its answer`)));
      response.on("data", (chunk: Buffer) => {
        octets += chunk.length;
        if (octets > MAX_BODY_OCTETS) settle(outcomeOf(status, host));
      });
      response.on("end", () => settle(outcomeOf(status, host)));
    });
    request.end(body);
  });
}

/** What the receiver says is not repeated: it may be anything that our network holds. */
function outcomeOf(status: number, host: string): PostOutcome {
  if (status >= 200 && status < 300) return { status: "accepted" };
  if (status >= 300 && status < 400) return refused(`${host} answered ${status}: redirects are not followed`);
  return status >= 500 || status === 429
    ? failed(`${host} answered ${status}`)
    : refused(`${host} answered ${status}`);
}

const refused = (detail: string): PostOutcome => ({ status: "refused", detail });
const failed = (detail: string): PostOutcome => ({ status: "failed", detail });
