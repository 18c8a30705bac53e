/** The options of every command that looks at servers as well as at DNS. */
import { type Command, Option } from "commander";
import { USUAL_BLOCK_LISTS } from "../../check/block-lists.ts";
import type { CheckOptions } from "../../check/context.ts";
import { derive } from "../../records/derive.ts";
import { loadDescription, readDomain, readFileNamed, readNetworks, readSelector } from "./argument.ts";
import type { Tools, ViewSettings } from "./tools.ts";
import { addViewOptions, repeatable, type ViewOptions, viewSettings } from "./view-options.ts";

export interface WorldOptions extends ViewOptions {
  readonly config?: string;
  readonly selector: readonly string[];
  readonly assumePublic: readonly string[];
  readonly dnsOnly?: boolean;
  readonly allowPrivate?: boolean;
  readonly trust: readonly string[];
  readonly blockList: readonly string[];
  /** Commander's name for --no-block-lists. */
  readonly blockLists: boolean;
  readonly outbound?: boolean;
}

export function addWorldOptions(command: Command): Command {
  return addViewOptions(command)
    .option("-c, --config <file>", "a description to compare with")
    .addOption(repeatable("-s, --selector <name>", "a DKIM selector to look at", "the usual ones"))
    .option("--dns-only", "ask DNS alone: connect to no server, ask no block list")
    .option("--allow-private", "connect also to private and loopback addresses that the domain's DNS names")
    .addOption(
      repeatable(
        "--trust <file>",
        "a certificate authority in PEM that counts beside the public ones",
        "none",
      ),
    )
    .addOption(
      repeatable(
        "--block-list <zone>",
        "a DNS block list to look into, instead of the usual ones",
        "the usual ones",
      ),
    )
    .option("--no-block-lists", "ask no DNS block list")
    .addOption(
      new Option(
        "--outbound",
        "also find out whether outgoing port 25 is open here: for use on the mail server itself",
      ),
    )
    .addOption(
      repeatable("--assume-public <cidr>", "count this network as public, for laboratories", "none"),
    );
}

export function worldSettings(options: WorldOptions, tools: Tools): ViewSettings {
  const authorities = options.trust.map((path) => readFileNamed(path, tools));
  return { ...viewSettings(options, tools), ...(!options.dnsOnly && { probes: { authorities } }) };
}

export function readCheckOptions(options: WorldOptions, tools: Tools): CheckOptions {
  const description = options.config === undefined ? undefined : loadDescription(options.config, tools);
  const named = options.blockList.map(readDomain);
  const blockLists = named.length > 0 ? named : USUAL_BLOCK_LISTS;
  return {
    dkimSelectors: options.selector.map(readSelector),
    assumePublic: readNetworks("--assume-public", options.assumePublic),
    allowPrivate: options.allowPrivate ?? false,
    blockLists: options.blockLists && !options.dnsOnly ? blockLists : [],
    testOutbound: options.outbound ?? false,
    ...(description && { description, derived: derive(description) }),
  };
}
