/** One domain checked for a command that makes something else of the report than `check` does. */
import { checkDomain } from "../../check/check.ts";
import type { DomainReport } from "../../check/finding.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { visible } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { readCheckOptions, type WorldOptions, worldSettings } from "./world-options.ts";

/** With progress where somebody looks. */
export async function checkOneDomain(
  domain: DomainName,
  options: WorldOptions & { readonly json?: boolean },
  tools: Tools,
): Promise<DomainReport> {
  const { terminal } = tools;
  const checkOptions = readCheckOptions(options, tools);
  const opened = await tools.openWorld(worldSettings(options, tools));
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
