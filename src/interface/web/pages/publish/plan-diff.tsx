/** What comes, what goes, what stays and whose it is; and in which steps. */
import type { Plan } from "../../api/domains.ts";
import { usePublishingTexts } from "../../texts/publishing.ts";

type Value = Plan["values"][number];

export function PlanDiff({ plan: { values, steps, leftOut, notes } }: { readonly plan: Plan }) {
  const { publish: t } = usePublishingTexts();
  const of = (action: Value["action"], isOurs?: boolean) =>
    values.filter((value) => value.action === action && (isOurs === undefined || value.isOurs === isOurs));
  const [created, deleted] = [of("create"), of("delete")];
  const [ours, foreign] = [of("keep", true), of("keep", false)];
  const hasWaits = steps.some(({ waitSeconds }) => waitSeconds > 0);
  return (
    <div className="plan">
      {created.length + deleted.length > 0 && (
        <>
          <p className="plan-counts">
            {created.length > 0 && <Sign action="create" text={t.creates(created.length)} />}
            {deleted.length > 0 && <Sign action="delete" text={t.deletes(deleted.length)} />}
          </p>
          <Values values={[...deleted, ...created]} label={t.diff} />
        </>
      )}
      {(steps.length > 1 || hasWaits) && (
        <div className="plan-order">
          <h2>{t.order}</h2>
          <ol>
            {steps.map(({ changes, waitSeconds, waitReason }, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: steps are known by their order alone
              <li key={at}>
                {waitSeconds > 0 && (
                  <p className="plan-wait">
                    {t.wait(waitSeconds)} {waitReason && <span lang="en">({waitReason})</span>}
                  </p>
                )}
                <p>
                  <strong>{t.step(at + 1, changes.length)}</strong>{" "}
                  <span className="hint">
                    {changes.map(({ name, type }) => `${name} ${type}`).join(", ")}
                  </span>
                </p>
              </li>
            ))}
          </ol>
        </div>
      )}
      {leftOut.length > 0 && (
        <div className="note">
          <p>{t.left}</p>
          <ul lang="en">
            {leftOut.map(({ name, type, because }) => (
              <li key={`${name} ${type}`}>
                {name} {type}: {because}
              </li>
            ))}
          </ul>
        </div>
      )}
      {notes.length > 0 && (
        <div className="note">
          <p>{t.notes}</p>
          <ul lang="en">
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </div>
      )}
      {ours.length > 0 && <Kept values={ours} text={t.ours(ours.length)} />}
      {foreign.length > 0 && <Kept values={foreign} text={t.foreign(foreign.length)} />}
    </div>
  );
}

function Sign({ action, text }: { readonly action: Value["action"]; readonly text: string }) {
  return (
    <span>
      <span className={`sign sign-${action}`} aria-hidden="true" />
      {text}
    </span>
  );
}

function Kept({ values, text }: { readonly values: readonly Value[]; readonly text: string }) {
  return (
    <details className="fold">
      <summary>{text}</summary>
      <Values values={values} label={text} />
    </details>
  );
}

function Values({ values, label }: { readonly values: readonly Value[]; readonly label: string }) {
  const { publish: t } = usePublishingTexts();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section className="scroll" aria-label={label} tabIndex={0}>
      <table className="plan-values">
        <thead>
          <tr>
            <th scope="col">{t.columns.change}</th>
            <th scope="col">{t.columns.type}</th>
            <th scope="col">{t.columns.name}</th>
            <th scope="col">{t.columns.value}</th>
          </tr>
        </thead>
        <tbody>
          {values.map(({ action, name, type, value, reason }) => (
            <tr key={`${action} ${name} ${type} ${value}`} className={`plan-${action}`}>
              <td>
                <Sign action={action} text={t.action[action]} />
              </td>
              <td>{type}</td>
              <td>
                <code>{name}</code>
              </td>
              <td>
                <code className="clamp">{value}</code>
                {reason && (
                  <span className="hint" lang="en">
                    {reason}
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
