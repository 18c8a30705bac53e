/** What the server runs with. It is changed on its machine alone. */
import { useQuery } from "@tanstack/react-query";
import { type Settings, settingsQuery } from "../../api/tools.ts";
import { Loading } from "../../parts/busy.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
import { useTexts } from "../../texts/texts.tsx";
import "../../style/administration.css";

const RELOAD = "systemctl reload zonepost";

export function SettingsPage() {
  const { settings: t } = useTexts();
  const settings = useQuery(settingsQuery);
  return (
    <Page title={t.title} lead={t.lead}>
      {settings.isPending && <Loading />}
      <Problem error={settings.error} onRetry={() => void settings.refetch()} />
      {settings.data && <Shown settings={settings.data} />}
    </Page>
  );
}

function Shown({ settings }: { readonly settings: Settings }) {
  const { settings: t } = useTexts();
  const { version, runtime, stateDirectory, settingsFile, descriptionFile } = settings;
  const groups = [...Map.groupBy(settings.settings, ({ name }) => name.split(/[.[]/, 1)[0]!)];
  return (
    <>
      <section className="card stack">
        <h2>{t.where}</h2>
        <dl className="facts">
          <dt>{t.version}</dt>
          <dd>
            {version} · {runtime}
          </dd>
          <dt>{t.file}</dt>
          <dd>{settingsFile ? <code>{settingsFile}</code> : t.noFile}</dd>
          <dt>{t.state}</dt>
          <dd>{stateDirectory ? <code>{stateDirectory}</code> : t.memory}</dd>
          <dt>{t.description}</dt>
          <dd>{descriptionFile ? <code>{descriptionFile}</code> : t.here}</dd>
        </dl>
        <p>{t.change}</p>
        <p className="copyable">
          <code>{RELOAD}</code> <CopyButton text={RELOAD} what={t.command} />
        </p>
        <p className="hint">{t.changeHint}</p>
      </section>
      <section className="card stack">
        <h2>{t.all}</h2>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
        <section className="scroll" aria-label={t.all} tabIndex={0}>
          <table className="settings">
            <thead>
              <tr>
                <th scope="col">{t.name}</th>
                <th scope="col">{t.value}</th>
                <th scope="col">{t.from}</th>
              </tr>
            </thead>
            {groups.map(([group, shown]) => (
              <tbody key={group}>
                {shown.map(({ name, value, kind, variable }) => (
                  <tr key={name} className={`setting-${kind}`}>
                    <th scope="row">
                      <code>{name}</code>
                    </th>
                    <td>{kind === "secret" ? <span lang="en">{value}</span> : <code>{value}</code>}</td>
                    <td className="hint">
                      {t.kinds[kind]}
                      {variable && (
                        <>
                          {" · "}
                          <code>{variable}</code>
                        </>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            ))}
          </table>
        </section>
      </section>
    </>
  );
}
