/** `--signer`: configurations of signing programs, read as the command line names them. */
import type { FileRead, SignerConfiguration } from "../../records/signer/configuration.ts";
import {
  type DomainSigning,
  readSigner,
  signedDomains,
  signingOf,
} from "../../records/signer/read-signer.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { readFileNamed } from "./argument.ts";
import { UsageError } from "./exit-code.ts";
import { visible } from "./terminal.ts";
import type { Tools } from "./tools.ts";

export interface LoadedSigner {
  /** Those that its configuration names in full. */
  readonly domains: readonly DomainName[];
  readonly signingOf: (domain: DomainName) => DomainSigning;
}

/** What of a configuration was not understood is told at once, on standard error. */
export function loadSigners(paths: readonly string[], tools: Tools): readonly LoadedSigner[] {
  return paths.map((path) => {
    const readFile = (file: string) => tryRead(file, tools);
    const read = readSigner(path, readFileNamed(path, tools), readFile);
    if (!read.ok) throw new UsageError(`--signer ${path}: ${read.problem}`);
    tellProblems(read.value, tools);
    return {
      domains: signedDomains(read.value),
      signingOf: signingOf(read.value, readFile, tools.organizationalDomain),
    };
  });
}

export function tellProblems({ problems }: SignerConfiguration, { terminal }: Tools): void {
  for (const { place, problem } of problems) {
    terminal.err(`${visible(`${place.path}:${place.line}: ${problem}`)}\n`);
  }
}

export function tryRead(path: string, tools: Tools): FileRead {
  try {
    return { status: "read", text: tools.readFile(path) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return { status: "absent", problem: "there is no such file" };
    }
    return { status: "refused", problem: code === "EACCES" ? "you may not read it" : message };
  }
}
