/** A BIND of the test's own, with authority for the zones given. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerAddress } from "../../src/net/server-address.ts";
import { absolute, ROOT } from "../../src/standards/dns/name.ts";
import { answers, type ZoneText, zoneFileName } from "./dns-program.ts";
import { giveTo, isRoot, makeServerDirectory, type RunningServer, startServer } from "./real-server.ts";

/** The address must be one that an interface has: BIND does not listen on the rest of 127.0.0.0/8. */
export interface BindOptions extends ServerAddress {
  readonly zones: readonly ZoneText[];
  /** Further addresses to listen on, all with the same zones. */
  readonly alsoAt?: readonly string[];
  /** The network namespace to run in. */
  readonly namespace?: string;
  /** Further statements for the options block. */
  readonly options?: string;
  /** Statements for a zone beside its type and file, such as update policies; by apex. */
  readonly zoneStatements?: (apex: string) => string;
  /** Statements at the top level: keys, views. */
  readonly statements?: string;
}

export function startBind(settings: BindOptions): Promise<RunningServer> {
  const {
    address,
    port,
    zones,
    namespace,
    options = "",
    statements = "",
    zoneStatements = () => "",
  } = settings;
  const addresses = [address, ...(settings.alsoAt ?? [])];
  const listenOn = (isIpv6: boolean) =>
    addresses
      .filter((each) => each.includes(":") === isIpv6)
      .map((each) => `${each}; `)
      .join("") || "none; ";
  const directory = makeServerDirectory("bind");
  mkdirSync(join(directory, "cache"));
  for (const { apex, text } of zones) writeFileSync(join(directory, zoneFileName(apex)), text);
  const blocks = zones.map(
    ({ apex }) => `zone "${absolute(apex)}" {
  type primary;
  file "${join(directory, zoneFileName(apex))}";
  ${zoneStatements(apex)}
};`,
  );
  const configuration = `
options {
  directory "${join(directory, "cache")}";
  pid-file "${join(directory, "named.pid")}";
  session-keyfile "${join(directory, "session.key")}";
  managed-keys-directory "${join(directory, "cache")}";
  key-directory "${join(directory, "cache")}";
  listen-on port ${port} { ${listenOn(false)}};
  listen-on-v6 port ${port} { ${listenOn(true)}};
  recursion no;
  dnssec-validation no;
  minimal-responses yes;
  notify no;
  ${options}
};
controls { };
${statements}
${blocks.join("\n")}
`;
  writeFileSync(join(directory, "named.conf"), configuration);
  giveTo("bind", directory);
  const user = isRoot ? ["-u", "bind"] : [];
  return startServer({
    program: "named",
    arguments: [...user, "-g", "-n", "1", "-U", "1", "-c", join(directory, "named.conf")],
    directory,
    namespace,
    // From outside nobody can ask it; its own words tell.
    isReady: ({ words }) =>
      namespace === undefined
        ? answers({ address, port }, zones[0]?.apex ?? ROOT)
        : / all zones loaded$/m.test(words),
  });
}
