/** The options of every command that looks at DNS. */
import { type Command, Option } from "commander";
import type { World } from "../../check/context.ts";
import { createFailoverResolver } from "../../standards/dns/failover-resolver.ts";
import type { Resolver } from "../../standards/dns/resolver.ts";
import { readFileNamed, readInteger } from "./argument.ts";
import type { Tools, ViewSettings } from "./tools.ts";

export interface ViewOptions {
  readonly rootHints?: string;
  readonly resolver: readonly string[];
  readonly dnsPort?: number;
}

/** An option that may stand several times; `none` says what holds where it stands nowhere. */
export function repeatable(flags: string, description: string, none: string): Option {
  const collect = (value: string, previous: readonly string[]) => [...previous, value];
  return new Option(flags, `${description}; repeatable`)
    .argParser<readonly string[]>(collect)
    .default([], none);
}

export function addViewOptions(command: Command): Command {
  return command
    .option("--root-hints <file>", "start the walk at the name servers of this root hints file")
    .addOption(repeatable("--resolver <ip[:port]>", "a recursive resolver to compare with", "the system's"))
    .option("--dns-port <number>", "the port of all name servers, for laboratories (default: 53)", (text) =>
      readInteger(text, "--dns-port", 1, 65_535),
    );
}

export function viewSettings(options: ViewOptions, tools: Tools): ViewSettings {
  return {
    resolvers: options.resolver,
    ...(options.rootHints !== undefined && { rootHints: readFileNamed(options.rootHints, tools) }),
    ...(options.dnsPort !== undefined && { port: options.dnsPort }),
  };
}

/** DNS as a receiver of mail sees it: by its resolvers; by a walk from the root only where there is none. */
export const receiversResolver = ({ recursive, authoritative }: World): Resolver =>
  recursive.length > 0 ? createFailoverResolver(recursive) : authoritative;
