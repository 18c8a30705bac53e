/** `zonepost route`: the way of a mail to an address, as a sending server would go. */
import { Context } from "../../check/context.ts";
import { findRoute, type Hop, parseMailAddress, type Route } from "../../check/route.ts";
import { forDisplay } from "../../standards/dns/name.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { table, visible } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { readCheckOptions, type WorldOptions, worldSettings } from "./world-options.ts";

export interface RouteOptions extends WorldOptions {
  readonly rcpt?: boolean;
  readonly mailFrom: string;
  readonly json?: boolean;
}

export async function runRoute(text: string, options: RouteOptions, tools: Tools): Promise<ExitCode> {
  const address = parseMailAddress(text);
  if (!address.ok) throw new UsageError(address.problem);
  if (/[\s\p{Cc}<>]/u.test(options.mailFrom))
    throw new UsageError(`--mail-from: "${options.mailFrom}" is not an address`);
  if (options.rcpt && options.dnsOnly)
    throw new UsageError("--rcpt asks the servers, and --dns-only forbids it");
  const opened = await tools.openWorld(worldSettings(options, tools));
  try {
    const context = new Context(address.value.domain, opened.world, readCheckOptions(options, tools));
    const route = await findRoute(address.value, context, options.rcpt ? options.mailFrom : undefined);
    tools.terminal.out(options.json ? `${JSON.stringify(route, null, 2)}\n` : routeText(route, tools));
    return exitCode(route);
  } finally {
    await opened.close();
  }
}

function exitCode({ verdict, hops }: Route): ExitCode {
  switch (verdict) {
    case "delivered":
      return hops[0]?.outcome === "takes" ? EXIT.ok : EXIT.warnings;
    case "deferred":
    case "refused":
      return EXIT.errors;
    case "unknown":
      return EXIT.unknown;
    default:
      return verdict satisfies never;
  }
}

const RULES: Readonly<Record<Hop["tls"], string>> = {
  dane: "DANE",
  "mta-sts": "MTA-STS enforced",
  opportunistic: "TLS if offered",
};

const HEADINGS = ["Preference", "Mail server", "Address", "TLS", "Outcome", "Because"];

function routeText(route: Route, { terminal }: Tools): string {
  const { style } = terminal;
  const { localPart, domain } = route.address;
  const rows = route.hops.map((hop) => [
    hop.preference === undefined ? "–" : String(hop.preference),
    visible(hop.host),
    hop.at === hop.host ? "" : hop.at,
    RULES[hop.tls],
    hop.outcome === "untold" ? "could not tell" : hop.outcome,
    visible(hop.because),
  ]);
  const how = {
    mx: "by MX, the lowest preference first",
    fallback: "there is no MX: senders fall back to the domain's own address",
    "null-mx": "a null MX",
    nothing: "neither MX nor address",
    unknown: "the MX could not be told",
  }[route.by];
  const policy = route.mode === undefined ? "" : `; MTA-STS policy in mode ${route.mode}`;
  const lines = [
    `${style.bold(visible(`${localPart}@${forDisplay(domain)}`))}: ${how}${policy}`,
    ...(rows.length === 0 ? [] : ["", table(HEADINGS, rows, style).replace(/^/gm, "  "), ""]),
    (route.verdict === "delivered" ? style.green : style.yellow)(visible(route.sentence)),
  ];
  return `${lines.join("\n")}\n`;
}
