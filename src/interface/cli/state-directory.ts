/** Where the state of this machine lies: keys, and what was published. */
import { UsageError } from "./exit-code.ts";
import type { Tools } from "./tools.ts";

/** `--state`, then ZONEPOST_STATE, then where the system keeps such things. */
export function stateDirectory(named: string | undefined, { environment, isAdministrator }: Tools): string {
  if (named !== undefined) return named;
  const { ZONEPOST_STATE: told, STATE_DIRECTORY: given, XDG_STATE_HOME: xdg, HOME: home } = environment;
  if (told) return told;
  // systemd's StateDirectory= may list several, the first is ours.
  if (given) return given.split(":")[0]!;
  if (isAdministrator) return "/var/lib/zonepost";
  if (xdg) return `${xdg}/zonepost`;
  if (home) return `${home}/.local/state/zonepost`;
  throw new UsageError("name a directory for the state with --state: there is no HOME to put it into");
}
