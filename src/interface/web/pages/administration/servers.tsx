/** What all domains share: the mail servers, as a form; and the whole of it as text. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answer, PUT } from "../../api/client.ts";
import { ApiProblem, isProblem } from "../../api/problem.ts";
import { isAdministrator, useSession } from "../../api/session.ts";
import { type Servers, serversQuery } from "../../api/tools.ts";
import { Loading } from "../../parts/busy.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Field } from "../../parts/field.tsx";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { tell } from "../../parts/toast.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import "../../style/administration.css";

type Content = Readonly<Record<string, unknown>>;

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
        (isAdministrator(session) && data.file === null ? (
          <Edit key={data.revision} servers={data} />
        ) : (
          <Shown servers={data} />
        ))}
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

const contentOf = (content: Content, rows: readonly ServerRow[]): Content => ({
  ...content,
  servers: rows.map(({ host, addresses, rest }) => ({
    host: host.trim(),
    addresses: addresses.split(/[\s,]+/).filter((each) => each !== ""),
    ...rest,
  })),
});

function Shown({ servers: { content, file, changedAt } }: { readonly servers: Servers }) {
  const { servers: t } = useTexts();
  const rows = rowsOf(content);
  return (
    <>
      {file !== null && <p className="note">{t.byFile(file)}</p>}
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
        {t.changed} <When at={changedAt} show="both" />
      </p>
    </>
  );
}

function Edit({ servers: { content, revision, changedAt } }: { readonly servers: Servers }) {
  const { servers: t } = useTexts();
  const client = useQueryClient();
  const [rows, setRows] = useState(() => rowsOf(content));
  const [text, setText] = useState<string>();
  const [isNoJson, setNoJson] = useState(false);
  const read = () => client.invalidateQueries({ queryKey: serversQuery.queryKey });
  const put = (next: Content, at: number) =>
    answer(PUT("/api/servers", { body: { content: next, revision: at } }));
  const undo = useMutation({
    mutationFn: (at: number) => put(content, at),
    onSuccess: read,
    onError: (error) => tell(error.message),
  });
  const save = useMutation({
    mutationFn: (next: Content) => put(next, revision),
    onSuccess: ({ revision: after }) => {
      tell(t.saved, () => undo.mutate(after));
      return read();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setNoJson(false);
    if (text === undefined) return save.mutate(contentOf(content, rows));
    try {
      save.mutate(JSON.parse(text) as Content);
    } catch {
      setNoJson(true);
    }
  };
  const faults = faultsOf(save.error);
  const change = (key: number, part: Partial<ServerRow>) =>
    setRows(rows.map((row) => (row.key === key ? { ...row, ...part } : row)));
  return (
    <form className="stack" onSubmit={submit}>
      <div className="actions">
        <button
          type="button"
          onClick={() =>
            setText(text === undefined ? JSON.stringify(contentOf(content, rows), null, 2) : undefined)
          }
        >
          {text === undefined ? t.asText : t.asForm}
        </button>
      </div>
      {text !== undefined ? (
        <TextField
          label={t.text}
          hint={t.textHint}
          rows={20}
          value={text}
          onChange={({ target }) => setText(target.value)}
          fault={isNoJson ? t.notJson : undefined}
        />
      ) : (
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
                    fault={faults(`servers[${at}].host`)}
                  />
                  <Field
                    label={t.addresses}
                    hint={t.addressesHint}
                    value={addresses}
                    onChange={({ target }) => change(key, { addresses: target.value })}
                    required
                    spellCheck={false}
                    fault={faults(`servers[${at}].addresses`)}
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
                      const before = rows;
                      setRows(rows.filter((row) => row.key !== key));
                      tell(t.removed(host), () => setRows(before));
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
            onClick={() =>
              setRows([
                ...rows,
                { key: 1 + Math.max(-1, ...rows.map(({ key }) => key)), host: "", addresses: "", rest: {} },
              ])
            }
          >
            {t.add}
          </button>
        </>
      )}
      <Problem error={save.error ?? undo.error}>
        {isProblem(save.error, "stale") && (
          <button type="button" onClick={() => void read()}>
            {t.readAgain}
          </button>
        )}
      </Problem>
      <div className="actions">
        <button type="submit" className="primary" disabled={save.isPending}>
          {t.save}
        </button>
        <span className="hint">
          {t.changed} <When at={changedAt} show="both" />
        </span>
      </div>
    </form>
  );
}

/** What a refusal says of a place: "servers[0].addresses[1]" is about the addresses of the first server. */
function faultsOf(error: unknown): (place: string) => string | undefined {
  const parts = error instanceof ApiProblem ? error.parts : [];
  return (place) => parts.find(({ where }) => where === place || where.startsWith(`${place}[`))?.what;
}
