/** A key that shall never sign again, with what each way means. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, POST } from "../../api/client.ts";
import { type Key, keysChanged } from "../../api/keys.ts";
import { Problem } from "../../parts/problem.tsx";
import { tell } from "../../parts/toast.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";

interface TakeOutProps {
  readonly domain: string;
  readonly item: Key;
  readonly isOnlySigner: boolean;
}

export function TakeOut({ domain, item: { selector, state, barred }, isOnlySigner }: TakeOutProps) {
  const { takeOut: t } = usePublishingTexts();
  const client = useQueryClient();
  const bar = useMutation({
    mutationFn: (how: "retired" | "revoked") =>
      answer(
        POST("/api/domains/{domain}/keys/{selector}/bar", {
          params: { path: { domain, selector } },
          body: { how },
        }),
      ),
    onSuccess: async (_, how) => {
      tell(t[how](selector));
      await keysChanged(client, domain);
    },
  });
  if (barred === "revoked" || state === "revoked") return null;
  return (
    <details className="key-fold">
      <summary>{t.title}</summary>
      <p>{t.lead}</p>
      {isOnlySigner && <p className="note note-warning">{t.onlyKey}</p>}
      <ul className="take-out">
        {barred === null && (
          <li>
            <button type="button" disabled={bar.isPending} onClick={() => bar.mutate("retired")}>
              {t.retire}
            </button>
            <p className="hint">{t.retireHint}</p>
          </li>
        )}
        <li>
          <button type="button" disabled={bar.isPending} onClick={() => bar.mutate("revoked")}>
            {t.revoke}
          </button>
          <p className="hint">{t.revokeHint}</p>
        </li>
      </ul>
      <Problem error={bar.error} />
    </details>
  );
}
