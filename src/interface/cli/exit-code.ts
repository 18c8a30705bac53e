/** The exit codes of every command; scripts rely on them. */
import type { Summary } from "../../check/finding.ts";

export const EXIT = { ok: 0, warnings: 1, errors: 2, unknown: 3, usage: 64 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Errors weigh more than what could not be told, and that more than warnings; notices are fine. */
export function exitCodeOf(summaries: readonly Summary[]): ExitCode {
  if (summaries.some(({ errors }) => errors > 0)) return EXIT.errors;
  if (summaries.some(({ unknown }) => unknown > 0)) return EXIT.unknown;
  return summaries.some(({ warnings }) => warnings > 0) ? EXIT.warnings : EXIT.ok;
}

/** A mistake in how a command was called, or in a file that it was given; the message says what to do. */
export class UsageError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.usage) {
    super(message);
    this.exitCode = exitCode;
  }
}
