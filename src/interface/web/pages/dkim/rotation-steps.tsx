/** What one step of the rotation has brought. */
import type { RotationStep } from "../../api/keys.ts";
import { usePublishingTexts } from "../../texts/publishing.ts";
import { useTexts } from "../../texts/texts.tsx";

export function RotationSteps({ steps }: { readonly steps: readonly RotationStep[] }) {
  const { rotate: t } = usePublishingTexts();
  const { problem } = useTexts();
  return (
    <div className="rotation-steps" role="status">
      <h3>{t.done}</h3>
      <ul>
        {steps.map(({ action, selector, reason, published }) => (
          <li key={`${selector} ${action}`} className={action === "trouble" ? "note note-warning" : ""}>
            <p>
              {selector && <strong>{selector}</strong>} {t.action[action] ?? action}
              {published && t.published[published.status] && `: ${t.published[published.status]}`}
            </p>
            <p className="hint" lang="en">
              {problem.sentence(reason)}
            </p>
            {published && !t.published[published.status] && published.detail && (
              <p className="fault" lang="en">
                {problem.sentence(published.detail)}
              </p>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
