/** The program as `npm run build` makes it. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** Into dist/program where no folder is named. */
export function buildProgram(folder = "dist/program"): void {
  const words = ["--config", "vite.program.config.ts", "--logLevel", "warn", "--outDir", folder];
  execFileSync("vite", ["build", ...words], { cwd: PROJECT, stdio: ["ignore", "inherit", "inherit"] });
}
