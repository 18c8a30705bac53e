/** The last apply, to be taken back. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, POST } from "../../api/client.ts";
import { undoQuery } from "../../api/domains.ts";
import { isProblem } from "../../api/problem.ts";
import { Problem } from "../../parts/problem.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";

interface Change {
  readonly name: string;
  readonly type?: unknown;
  readonly before?: unknown;
  readonly after?: unknown;
}

const texts = (data: unknown): readonly string[] => (Array.isArray(data) ? data.map(String) : []);

export function TakeBack({
  domain,
  onBegun,
}: {
  readonly domain: string;
  readonly onBegun: (job: string) => void;
}) {
  const { undo: t } = usePublishingTexts();
  const client = useQueryClient();
  const found = useQuery({ ...undoQuery(domain), refetchOnWindowFocus: false });
  const take = useMutation({
    mutationFn: (digest: string) =>
      answer(POST("/api/domains/{domain}/undo", { params: { path: { domain } }, body: { digest } })),
    onSuccess: ({ job }) => onBegun(job),
    onError: (error) =>
      isProblem(error, "stale") && client.invalidateQueries({ queryKey: ["domain", domain, "undo"] }),
  });
  if (found.isError) return <Problem error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return null;
  const { steps, digest } = found.data;
  const changes = steps.flat() as readonly Change[];
  return (
    <section className="card take-back" aria-labelledby="take-back">
      <h2 id="take-back">{t.title}</h2>
      <p>{changes.length === 0 ? t.nothingLeft : t.lead}</p>
      {changes.length > 0 && (
        <>
          <details>
            <summary>{t.what(changes.length)}</summary>
            <dl className="undo-changes">
              {changes.map(({ name, type, before, after }) => (
                <div key={`${name} ${String(type)}`}>
                  <dt>
                    <code>{name}</code> {String(type)}
                  </dt>
                  <dd>
                    <Side label={t.before} data={texts(before)} />
                    <Side label={t.after} data={texts(after)} />
                  </dd>
                </div>
              ))}
            </dl>
          </details>
          <button type="button" disabled={take.isPending} onClick={() => take.mutate(digest)}>
            {t.go}
          </button>
        </>
      )}
      <Problem error={take.error} />
    </section>
  );
}

function Side({ label, data }: { readonly label: string; readonly data: readonly string[] }) {
  const { undo: t } = usePublishingTexts();
  return (
    <p>
      <span className="hint">{label}:</span>{" "}
      {data.length === 0 ? (
        <span className="hint">{t.none}</span>
      ) : (
        <code className="clamp">{data.join("\n")}</code>
      )}
    </p>
  );
}
