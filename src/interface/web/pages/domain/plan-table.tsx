/** What publishing would change: what comes, what goes, what stays; and what speaks against it. */
import type { Plan } from "../../api/domains.ts";
import { useTexts } from "../../texts/texts.tsx";

const ORDER = { create: 0, delete: 1, keep: 2 } as const;

export function PlanTable({ plan: { values, guards, leftOut, notes } }: { readonly plan: Plan }) {
  const { plan: t } = useTexts();
  const sorted = values.toSorted((one, other) => ORDER[one.action] - ORDER[other.action]);
  return (
    <div className="plan">
      {guards.map(({ id, message }) => (
        <p key={id} className="note note-warning" lang="en">
          {message}
        </p>
      ))}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section className="scroll" aria-label={t.title} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t.action}</th>
              <th scope="col">{t.type}</th>
              <th scope="col">{t.name}</th>
              <th scope="col">{t.value}</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map(({ action, name, type, value, isOurs }) => (
              <tr key={`${action} ${name} ${type} ${value}`} className={`plan-${action}`}>
                <td>
                  <span className={`sign sign-${action}`} aria-hidden="true" />
                  {action === "keep" && !isOurs ? t.foreign : t.actions[action]}
                </td>
                <td>{type}</td>
                <td>{name}</td>
                <td>
                  <code className="clamp">{value}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {leftOut.map(({ name, type, because }) => (
        <p key={`${name} ${type}`} className="note" lang="en">
          {name} {type}: {because}
        </p>
      ))}
      {notes.length > 0 && (
        <ul className="hint notes" lang="en">
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
