/** What every command that checks a domain has in common: its options, and the way to one report. */
import type { Command } from "commander";
import { checkDomain } from "../../check/check.ts";
import type { CheckOptions } from "../../check/context.ts";
import type { DomainReport } from "../../check/finding.ts";
import { derive } from "../../records/derive.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { loadDescription, readNetworks, readSelector } from "./argument.ts";
import { visible } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { addViewOptions, repeatable, type ViewOptions, viewSettings } from "./view-options.ts";

export interface DomainCheckOptions extends ViewOptions {
  readonly config?: string;
  readonly selector: readonly string[];
  readonly assumePublic: readonly string[];
}

export function addDomainCheckOptions(command: Command): Command {
  return addViewOptions(command)
    .option("-c, --config <file>", "a description to compare with")
    .addOption(repeatable("-s, --selector <name>", "a DKIM selector to look at", "the usual ones"))
    .addOption(
      repeatable("--assume-public <cidr>", "count this network as public, for laboratories", "none"),
    );
}

export function readCheckOptions(options: DomainCheckOptions, tools: Tools): CheckOptions {
  const description = options.config === undefined ? undefined : loadDescription(options.config, tools);
  return {
    dkimSelectors: options.selector.map(readSelector),
    assumePublic: readNetworks("--assume-public", options.assumePublic),
    ...(description && { description, derived: derive(description) }),
  };
}

/** One domain, with progress where somebody looks. */
export async function checkOneDomain(
  domain: DomainName,
  options: DomainCheckOptions & { readonly json?: boolean },
  tools: Tools,
): Promise<DomainReport> {
  const { terminal } = tools;
  const checkOptions = readCheckOptions(options, tools);
  const opened = await tools.openWorld(viewSettings(options, tools));
  const showProgress = terminal.isInteractive && !options.json;
  try {
    return await checkDomain(domain, opened.world, checkOptions, (done, of) => {
      if (showProgress) terminal.err(`\r\u001b[K${visible(domain)}: ${done} of ${of} checks done`);
    });
  } finally {
    if (showProgress) terminal.err("\r\u001b[K");
    await opened.close();
  }
}
