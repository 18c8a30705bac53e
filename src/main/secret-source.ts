/** Secrets and files that settings name. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../interface/cli/exit-code.ts";
import { Secret } from "../publish/secret.ts";
import type { SecretSource } from "../records/publish-settings.ts";

/** What a file holds, an environment variable, or a systemd credential; or the secret itself, as entered over the API. */
export function readSecret(source: SecretSource | string, where: string): Secret {
  if (typeof source === "string") return new Secret(source);
  const { file, env, credential } = source;
  const missing = (what: string) => new UsageError(`${where}: ${what}`);
  if (env !== undefined) {
    const text = process.env[env];
    if (!text) throw missing(`the environment variable ${env} is not set`);
    return new Secret(text);
  }
  const directory = process.env["CREDENTIALS_DIRECTORY"];
  if (credential !== undefined && directory === undefined)
    throw missing(`there is no credential ${credential}: systemd has passed none`);
  const path = credential === undefined ? file! : join(directory!, credential);
  try {
    return new Secret(readFileSync(path, "utf8").trim());
  } catch (error) {
    throw missing((error as Error).message);
  }
}

export function readSettingsFile(path: string, where: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${where}: ${(error as Error).message}`);
  }
}
