/** A token in a list, with the way to take it back. */
import { useTexts } from "../texts/texts.tsx";
import { focusHeading } from "./focus.ts";
import { When } from "./when.tsx";

export interface Token {
  readonly id: string;
  readonly label: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

export function TokenItem({
  token: { label, scopes, lastUsedAt, expiresAt },
  owner,
  onRemove,
}: {
  readonly token: Token;
  /** Whose it is, where that may be somebody else. */
  readonly owner?: string;
  readonly onRemove: () => void;
}) {
  const { account: t } = useTexts();
  return (
    <li>
      <span>
        {owner !== undefined && <strong>{owner}: </strong>}
        {label} <span className="hint">{scopes.join(", ")}</span>
        <span className="hint">
          {" · "}
          {lastUsedAt ? (
            <>
              {t.lastUsed} <When at={lastUsedAt} />
            </>
          ) : (
            t.neverUsed
          )}
          {expiresAt && (
            <>
              {" · "}
              {t.expires} <When at={expiresAt} />
            </>
          )}
        </span>
      </span>
      <button
        type="button"
        onClick={({ currentTarget }) => {
          focusHeading(currentTarget.closest("section"));
          onRemove();
        }}
        aria-label={t.removeThing(owner === undefined ? label : `${owner}: ${label}`)}
      >
        {t.remove}
      </button>
    </li>
  );
}
