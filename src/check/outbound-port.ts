/** Whether port 25 is open from where this runs: shown by mail servers that are always there. */
import { type DomainName, domainName } from "../standards/dns/name.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";
import { reachableAddresses } from "./reach.ts";

/** Asked for by whoever runs this on the mail server itself; elsewhere it tells of another network. */
export async function checkOutboundPort(context: Context): Promise<Finding[]> {
  if (context.options.testOutbound !== true || context.world.prober === undefined) return [];
  const state = await outboundState(context);
  const names = witnesses(context);
  const said = { owner: context.domain, verify: { command: `nc -vz ${names[0]} 25` } } as const;
  const asked = names.join(", ");
  if (state === "open")
    return [context.finding("smtp-outbound-open", { ...said, observed: `an answer from ${asked}` })];
  if (state === "blocked") {
    return [
      context.finding("smtp-outbound-blocked", {
        ...said,
        observed: `no answer on port 25 from ${asked}`,
        fix: {
          summary:
            "Ask your provider to open outgoing port 25 (many do so on request), or send through a smarthost on port 587 and add its SPF include.",
          changes: [],
        },
      }),
    ];
  }
  return [
    context.finding("smtp-untold", { ...said, observed: `${asked} could not be looked up or reached` }),
  ];
}

/**
 * Mail servers that are always there, of three large providers: where none of them answers on port 25, it is
 * closed on our side.
 */
const WITNESSES = ["gmail-smtp-in.l.google.com", "mx1.mail.icloud.com", "mta5.am0.yahoodns.net"].map(
  domainName,
);

const witnesses = ({ options }: Context): readonly DomainName[] => options.witnesses ?? WITNESSES;

export async function outboundState(context: Context): Promise<"open" | "blocked" | "untold"> {
  return context.shared("outbound port 25", async () => {
    const states = await Promise.all(witnesses(context).map((name) => witnessState(name, context)));
    if (states.includes("open")) return "open";
    return states.includes("silent") ? "blocked" : "untold";
  });
}

async function witnessState(host: DomainName, context: Context): Promise<"open" | "silent" | "untold"> {
  const addresses = await reachableAddresses(host, context);
  const address = addresses.find(({ family }) => family === 4);
  if (address === undefined || context.world.prober === undefined) return "untold";
  const { status } = await context.probeService({ protocol: "smtp", address, port: 25, host });
  if (status === "unreachable") return "untold";
  return status === "timeout" ? "silent" : "open";
}
