/** What all domains share: the mail servers, as a form; and the whole of it as text. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { answer, PUT } from "../../api/client.ts";
import { isAdministrator, useSession } from "../../api/session.ts";
import { type Servers, serversQuery } from "../../api/tools.ts";
import { Loading } from "../../parts/busy.tsx";
import { type Content, DescribedForm } from "../../parts/described-form.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Field } from "../../parts/field.tsx";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
import { useTellHere } from "../../parts/toast.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import "../../style/administration.css";

/** Of one server what the form shows; what stands beside it in the text stays as it is. */
interface ServerRow {
  readonly key: number;
  readonly host: string;
  readonly addresses: string;
  readonly rest: Content;
}

export function ServersPage() {
  const { servers: t } = useTexts();
  const session = useSession();
  const servers = useQuery(serversQuery);
  const { data } = servers;
  return (
    <Page title={t.title} lead={t.lead}>
      {servers.isPending && <Loading />}
      <Problem error={servers.error} onRetry={() => void servers.refetch()} />
      {data &&
        (isAdministrator(session) && data.file === null ? <Edit servers={data} /> : <Shown servers={data} />)}
    </Page>
  );
}

const rowsOf = ({ servers }: Content): readonly ServerRow[] =>
  Array.isArray(servers)
    ? servers.map((server: Content, key) => {
        const { host, addresses, ...rest } = server;
        return {
          key,
          host: String(host ?? ""),
          addresses: Array.isArray(addresses) ? addresses.join(" ") : String(addresses ?? ""),
          rest,
        };
      })
    : [];

const freshKey = (rows: readonly ServerRow[]): number => 1 + Math.max(-1, ...rows.map(({ key }) => key));

const contentOf = (content: Content, rows: readonly ServerRow[]): Content => ({
  ...content,
  servers: rows.map(({ host, addresses, rest }) => ({
    host: host.trim(),
    addresses: addresses.split(/[\s,]+/).filter((each) => each !== ""),
    ...rest,
  })),
});

function Shown({ servers: { content, file, changedAt } }: { readonly servers: Servers }) {
  const { servers: t, described } = useTexts();
  const rows = rowsOf(content);
  return (
    <>
      {file !== null && <p className="note">{described.byFile(file)}</p>}
      {rows.length === 0 ? (
        <Empty title={t.none}>{t.noneHint}</Empty>
      ) : (
        <ul className="users">
          {rows.map(({ key, host, addresses, rest }) => (
            <li key={key} className="card stack">
              <h2>{host}</h2>
              <p>{addresses}</p>
              {Object.keys(rest).length > 0 && <pre className="block">{JSON.stringify(rest, null, 2)}</pre>}
            </li>
          ))}
        </ul>
      )}
      <p className="hint">
        {described.changed} <When at={changedAt} show="both" />
      </p>
    </>
  );
}

function Edit({ servers }: { readonly servers: Servers }) {
  const { servers: t } = useTexts();
  const client = useQueryClient();
  return (
    <DescribedForm
      newest={servers}
      formOf={rowsOf}
      contentOf={contentOf}
      put={(content, revision) => answer(PUT("/api/servers", { body: { content, revision } }))}
      read={() => client.invalidateQueries({ queryKey: serversQuery.queryKey })}
      list="servers"
      words={t}
    >
      {(rows, setRows, faultOf) => <Rows rows={rows} onChange={setRows} faultOf={faultOf} />}
    </DescribedForm>
  );
}

function Rows({
  rows,
  onChange,
  faultOf,
}: {
  readonly rows: readonly ServerRow[];
  readonly onChange: (rows: readonly ServerRow[]) => void;
  readonly faultOf: (place: string) => string | undefined;
}) {
  const { servers: t } = useTexts();
  const tellHere = useTellHere();
  // What was typed since a row went stays when it comes back.
  const now = useRef(rows);
  now.current = rows;
  const change = (key: number, part: Partial<ServerRow>) =>
    onChange(rows.map((row) => (row.key === key ? { ...row, ...part } : row)));
  return (
    <>
      {rows.length === 0 && <Empty title={t.none}>{t.noneHint}</Empty>}
      <ul className="users">
        {rows.map(({ key, host, addresses, rest }, at) => (
          <li key={key} className="card stack">
            <div className="server-fields">
              <Field
                label={t.host}
                hint={t.hostHint}
                value={host}
                onChange={({ target }) => change(key, { host: target.value })}
                required
                autoCapitalize="none"
                spellCheck={false}
                fault={faultOf(`servers[${at}].host`)}
              />
              <Field
                label={t.addresses}
                hint={t.addressesHint}
                value={addresses}
                onChange={({ target }) => change(key, { addresses: target.value })}
                required
                spellCheck={false}
                fault={faultOf(`servers[${at}].addresses`)}
              />
            </div>
            <div className="actions">
              {Object.keys(rest).length > 0 && (
                <span className="hint">{t.more(Object.keys(rest).join(", "))}</span>
              )}
              <button
                type="button"
                aria-label={`${t.remove}: ${host}`}
                onClick={() => {
                  const gone = rows[at]!;
                  onChange(rows.toSpliced(at, 1));
                  tellHere(t.removed(host), () => {
                    const { current } = now;
                    onChange(current.toSpliced(at, 0, { ...gone, key: freshKey(current) }));
                  });
                }}
              >
                {t.remove}
              </button>
            </div>
          </li>
        ))}
      </ul>
      <button
        type="button"
        className="more"
        onClick={() => onChange([...rows, { key: freshKey(rows), host: "", addresses: "", rest: {} }])}
      >
        {t.add}
      </button>
    </>
  );
}
