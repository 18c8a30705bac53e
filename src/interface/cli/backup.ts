/** `zonepost backup` and `zonepost restore`: the state in a file, and back. */
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { loadSettings, openStateOf } from "./settings-file.ts";
import { stateDirectory } from "./state-directory.ts";
import { visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";

export interface BackupOptions {
  readonly state?: string;
  readonly settings?: string;
  readonly json?: boolean;
}

export async function runBackup(file: string, options: BackupOptions, tools: Tools): Promise<ExitCode> {
  const { terminal } = tools;
  const state = await openStateOf(stateDirectory(options.state, tools), tools, options.settings);
  try {
    await state.backup(file).catch(refuse);
  } finally {
    await state.close();
  }
  if (options.json) terminal.out(`${JSON.stringify({ backup: file })}\n`);
  else {
    terminal.out(`${visible(file)}\n`);
    terminal.err(
      `${wrap("The seal key is not in it: without a copy of that, the private keys in it do not open.", terminal.columns)}\n`,
    );
  }
  return EXIT.ok;
}

export async function runRestore(file: string, options: BackupOptions, tools: Tools): Promise<ExitCode> {
  const { terminal } = tools;
  const directory = stateDirectory(options.state, tools);
  const { database } = loadSettings(options.settings, tools);
  const { before } = await tools.restoreState(file, directory, database).catch(refuse);
  if (options.json) terminal.out(`${JSON.stringify({ restored: file, state: directory, before })}\n`);
  else {
    terminal.out(`${visible(`${directory} is as it was in ${file}.`)}\n`);
    if (before !== undefined)
      terminal.out(`${wrap(visible(`What was there before is kept in ${before}.`), terminal.columns)}\n`);
  }
  return EXIT.ok;
}

/** The store's own sentences say where, what, and what to do. */
function refuse(error: unknown): never {
  throw error instanceof UsageError ? error : new UsageError((error as Error).message, EXIT.errors);
}
