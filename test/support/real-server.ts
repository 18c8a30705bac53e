/** The real programs that tests in test/servers talk to. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The path of an installed program. Where it is missing the test skips and says so loudly; under `CI=true`
 * that is a failure, for a suite that silently tests nothing must not pass.
 */
export function requireBinary(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  const found = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (found !== undefined) return found;
  if (process.env["CI"] === "true") throw new Error(`${name} is not installed, and CI=true demands it`);
  console.warn(`SKIPPED: ${name} is not installed; the tests against it did not run`);
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
