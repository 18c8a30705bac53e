/** Where a milter listens, as Postfix's and Sendmail's settings write it. */
import { parseAddress } from "../standards/dns/address.ts";
import type { Parsed } from "../standards/dns/parsed.ts";

export type MilterAddress =
  | { readonly kind: "unix"; readonly path: string }
  /** `host` is an address: what a name stands for may change between two starts. */
  | { readonly kind: "inet"; readonly host: string; readonly port: number };

/** sun_path of Linux has 108 octets, the last one NUL. */
const MAX_PATH_OCTETS = 107;
const FORMS = 'forms are "unix:/run/zonepost/milter.sock", "inet:8891@127.0.0.1" and "inet6:8891@::1"';

/** "unix:/run/x.sock", "local:/run/x.sock", "inet:8891@127.0.0.1", "inet6:8891@::1"; "inet:8891" is on loopback. */
export function parseMilterAddress(text: string): Parsed<MilterAddress> {
  const problem = (what: string) => ({ ok: false, problem: `"${text}" ${what}` }) as const;
  const [, scheme = "", rest = ""] = /^([^:]*):(.*)$/s.exec(text) ?? [];
  switch (scheme.toLowerCase()) {
    case "unix":
    case "local":
      return parsePath(rest, problem);
    case "inet":
      return parseEndpoint(rest, 4, problem);
    case "inet6":
      return parseEndpoint(rest, 6, problem);
    default:
      return problem(`is no address of a milter: ${FORMS}`);
  }
}

type Problem = (what: string) => { readonly ok: false; readonly problem: string };

function parsePath(path: string, problem: Problem): Parsed<MilterAddress> {
  if (!path.startsWith("/"))
    return problem('needs a path from the root on, such as "unix:/run/zonepost/milter.sock"');
  if (path.includes("\0") || path.endsWith("/")) return problem("names no file");
  const octets = Buffer.byteLength(path);
  if (octets > MAX_PATH_OCTETS) {
    return problem(`has a path of ${octets} octets; a socket's has ${MAX_PATH_OCTETS} at most`);
  }
  return { ok: true, value: { kind: "unix", path } };
}

function parseEndpoint(text: string, family: 4 | 6, problem: Problem): Parsed<MilterAddress> {
  const scheme = family === 4 ? "inet" : "inet6";
  const loopback = family === 4 ? "127.0.0.1" : "::1";
  const [, digits, bracketed, plain] = /^(\d{1,5})(?:@(?:\[(.*)\]|(.*)))?$/s.exec(text) ?? [];
  if (digits === undefined) return problem(`needs a port and an address: "${scheme}:8891@${loopback}"`);
  const port = Number(digits);
  if (port < 1 || port > 65_535) return problem(`has port ${port}, which is not between 1 and 65535`);
  const host = bracketed ?? plain ?? loopback;
  const address = parseAddress(host === "localhost" ? loopback : host);
  if (!address.ok) return problem(`has "${host}" where an IP address belongs: "${scheme}:8891@${loopback}"`);
  if (address.value.family !== family) {
    return problem(
      `has an IPv${address.value.family} address: write it with "${family === 4 ? "inet6" : "inet"}:"`,
    );
  }
  return { ok: true, value: { kind: "inet", host: address.value.text, port } };
}

/** The inverse: what goes into the MTA's settings. */
export function formatMilterAddress(address: MilterAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return `${address.host.includes(":") ? "inet6" : "inet"}:${address.port}@${address.host}`;
}
