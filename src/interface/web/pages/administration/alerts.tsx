/** Who is told of news, what was told, and whether it arrives. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, POST } from "../../api/client.ts";
import { isAdministrator, useSession } from "../../api/session.ts";
import { alertsQuery, type Channel } from "../../api/tools.ts";
import { Loading } from "../../parts/busy.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
import { SEVERITIES, SeverityBadge, SeverityShape } from "../../parts/severity.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import "../../style/administration.css";

const EXAMPLE = `alerts:
  channels:
    - id: ops
      kind: email
      from: zonepost@example.org
      to: ops@example.org
      minimumSeverity: warning
`;

export function AlertsPage() {
  const { alerts: t } = useTexts();
  const alerts = useQuery(alertsQuery);
  const { data } = alerts;
  return (
    <Page title={t.title} lead={t.lead}>
      {alerts.isPending && <Loading />}
      <Problem error={alerts.error} onRetry={() => void alerts.refetch()} />
      {data && (
        <>
          <section className="stack" aria-label={t.channels}>
            <h2>{t.channels}</h2>
            {data.channels.length === 0 ? (
              <Empty title={t.noChannels}>
                <p>{t.noChannelsHint}</p>
                <pre className="block example">{EXAMPLE}</pre>
                <CopyButton text={EXAMPLE} what={t.example} isNamed />
              </Empty>
            ) : (
              <div className="channels">
                {data.channels.map((channel) => (
                  <ChannelCard key={channel.id} channel={channel} />
                ))}
              </div>
            )}
          </section>
          <section className="card stack">
            <h2>{t.told}</h2>
            {data.told.length === 0 && <p className="hint">{t.toldNothing}</p>}
            <ul className="rows">
              {data.told.map(({ id, at, channel, title, severity }) => (
                <li key={id}>
                  <SeverityBadge severity={SEVERITIES.find((each) => each === severity) ?? "notice"} />
                  <span lang="en">{title}</span>
                  <span className="hint">
                    {channel} · <When at={at} />
                  </span>
                </li>
              ))}
            </ul>
          </section>
          {data.givenUp.length > 0 && (
            <section className="card stack">
              <h2>{t.givenUp}</h2>
              <p className="hint">{t.givenUpHint}</p>
              <ul className="rows">
                {data.givenUp.map(({ kind, at, attempts, error }) => (
                  <li key={`${kind} ${at} ${error}`}>
                    <code>{kind}</code>
                    <span lang="en">{error}</span>
                    <span className="hint">
                      {t.attempts(attempts)} · <When at={at} />
                    </span>
                  </li>
                ))}
              </ul>
            </section>
          )}
        </>
      )}
    </Page>
  );
}

function ChannelCard({ channel }: { readonly channel: Channel }) {
  const { alerts: t, severity } = useTexts();
  const session = useSession();
  const client = useQueryClient();
  const { id, kind, receiver, minimumSeverity, quietHours, domains, weeklyDigest } = channel;
  const test = useMutation({
    mutationFn: () => answer(POST("/api/alerts/{channel}/test", { params: { path: { channel: id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["audit"] }),
  });
  const outcome = test.data;
  const least = SEVERITIES.find((each) => each === minimumSeverity);
  return (
    <article className="card channel">
      <h3>{id}</h3>
      <p>
        {t.kinds[kind]} · <span className="receiver">{receiver}</span>
      </p>
      <ul className="hint">
        {least && <li>{t.from(severity.name[least])}</li>}
        <li>{domains ? domains.join(", ") : t.allDomains}</li>
        {quietHours && <li>{t.quiet(quietHours.from, quietHours.until, quietHours.timeZone)}</li>}
        {weeklyDigest && <li>{t.digest}</li>}
      </ul>
      <div role="status">
        {outcome && (
          <p className={`note ${outcome.status === "accepted" ? "note-ok" : "note-warning"}`}>
            <span className="outcome">
              <SeverityShape severity={outcome.status === "accepted" ? "ok" : "error"} />{" "}
              {t.outcomes[outcome.status]}
            </span>
            {outcome.detail && <span lang="en">{outcome.detail}</span>}
          </p>
        )}
      </div>
      <Problem error={test.error} />
      {isAdministrator(session) && (
        <button
          type="button"
          disabled={test.isPending}
          onClick={() => test.mutate()}
          aria-label={`${t.test}: ${id}`}
        >
          {t.test}
        </button>
      )}
    </article>
  );
}
