/** What happened, and what to do. */
import type { ReactNode } from "react";
import { ApiProblem, ConnectionLost, LoggedOut, PasskeyProblem } from "../api/problem.ts";
import { useTexts } from "../texts/texts.tsx";
import { LogInAgain } from "./log-in-again.tsx";

interface ProblemProps {
  readonly error: unknown;
  /** Another try, where there is any sense in one. */
  readonly onRetry?: () => void;
  readonly children?: ReactNode;
}

/** Says nothing where there is no error, and nothing where the login above the page says it. */
export function Problem({ error, onRetry, children }: ProblemProps) {
  const { problem: t } = useTexts();
  if (!error || error instanceof LoggedOut) return null;
  // What is read is read again by itself; what was sent may have been done, or not.
  if (error instanceof PasskeyProblem || error instanceof ConnectionLost)
    return (
      <p className="problem" role="alert">
        {error instanceof PasskeyProblem ? t.passkey[error.failure] : t.unanswered}
      </p>
    );
  const known = error instanceof ApiProblem ? error : undefined;
  return (
    <div className="problem" role="alert">
      <p className="problem-what">
        {known ? <span lang="en">{t.sentence(known.message)}</span> : t.unforeseen}
      </p>
      {known && known.parts.length > 0 && (
        <ul lang="en">
          {known.parts.map(({ where, what }) => (
            <li key={`${where} ${what}`}>
              {where && <code>{where}</code>} {what}
            </li>
          ))}
        </ul>
      )}
      <p>
        {known ? <span lang="en">{t.sentence(known.remedy)}</span> : t.tryAgain((error as Error).message)}
      </p>
      {known?.code === "log-in-again" && <LogInAgain />}
      {onRetry && (
        <button type="button" onClick={onRetry}>
          {t.again}
        </button>
      )}
      {children}
    </div>
  );
}

/** What a refusal says of one field of a form: `body.NAME`. */
export function faultOf(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiProblem)) return undefined;
  const where = `body.${field}`;
  if (error.where === where) return `${error.message}: ${error.remedy}`;
  return error.parts.find((part) => part.where === where || part.where.startsWith(`${where}.`))?.what;
}
