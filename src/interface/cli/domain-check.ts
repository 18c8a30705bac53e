/** One domain checked, for the commands that need its report. */

import type { Group } from "../../check/catalogue.ts";
import { checkDomain } from "../../check/check.ts";
import type { DomainReport } from "../../check/finding.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { visible } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { readCheckOptions, type WorldOptions, worldSettings } from "./world-options.ts";

/** One domain, with progress where somebody looks. */
export async function checkOneDomain(
  domain: DomainName,
  options: WorldOptions & { readonly json?: boolean },
  tools: Tools,
  /** Only what can say something of these groups is looked at; everything where absent. */
  groups?: ReadonlySet<Group>,
): Promise<DomainReport> {
  const { terminal } = tools;
  const checkOptions = readCheckOptions(options, tools);
  const opened = await tools.openWorld(worldSettings(options, tools));
  const showProgress = terminal.isInteractive && !options.json;
  try {
    const onProgress = (done: number, of: number) => {
      if (showProgress) terminal.err(`\r\u001b[K${visible(domain)}: ${done} of ${of} checks done`);
    };
    return await checkDomain(domain, opened.world, checkOptions, { onProgress, ...(groups && { groups }) });
  } finally {
    if (showProgress) terminal.err("\r\u001b[K");
    await opened.close();
  }
}
