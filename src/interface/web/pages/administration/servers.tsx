/** What all domains share: the mail servers, as a form; and the whole of it as text. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { answer, PUT } from "../../api/client.ts";
import { ApiProblem, isProblem } from "../../api/problem.ts";
import { isAdministrator, useSession } from "../../api/session.ts";
import { type Servers, serversQuery } from "../../api/tools.ts";
import { Loading } from "../../parts/busy.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Field, TextField } from "../../parts/field.tsx";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
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

/** What is typed, on what it stands, and whether it says anything else than that. */
interface Typed {
  readonly on: Servers;
  readonly base: Content;
  readonly rows: readonly ServerRow[];
  /** Undefined where it is edited as a form. */
  readonly text: string | undefined;
}

const untouched = (on: Servers): Typed => ({
  on,
  base: on.content,
  rows: rowsOf(on.content),
  text: undefined,
});

function isTouched({ on, base, rows, text }: Typed): boolean {
  const written = (content: Content) => JSON.stringify(content, null, 2);
  const before = written(contentOf(on.content, rowsOf(on.content)));
  return (text ?? written(contentOf(base, rows))) !== before;
}

/** `servers`: the newest that is known. Others may change it meanwhile; what is typed here stays all the same. */
function Edit({ servers: newest }: { readonly servers: Servers }) {
  const { servers: t } = useTexts();
  const client = useQueryClient();
  const [state, setState] = useState(() => untouched(newest));
  const [isNoJson, setNoJson] = useState(false);
  const isNewer = newest.revision > state.on.revision;
  const { on, base, rows, text } = state;
  const setRows = (next: readonly ServerRow[]) => setState((before) => ({ ...before, rows: next }));
  const setText = (next: string) => setState((before) => ({ ...before, text: next }));
  const read = () => client.invalidateQueries({ queryKey: serversQuery.queryKey });
  const put = (next: Content, at: number) =>
    answer(PUT("/api/servers", { body: { content: next, revision: at } }));
  const undo = useMutation({
    mutationFn: ({ content, at }: { readonly content: Content; readonly at: number }) => put(content, at),
    onSuccess: read,
    onError: (error) => tell(error.message),
  });
  const save = useMutation({
    mutationFn: ({ next, at }: { readonly next: Content; readonly at: Servers }) => put(next, at.revision),
    onSuccess: async ({ revision: after }, { at, next }) => {
      tell(t.saved, () => undo.mutate({ content: at.content, at: after }));
      setState((before) => ({ ...before, on: { ...at, content: next } }));
      await read();
      // What was typed while this was on its way stays, and stands on what was saved.
      setState((before) =>
        isTouched(before) ? { ...before, on: { ...before.on, revision: after } } : before,
      );
    },
    onError: (error) => isProblem(error, "stale") && read(),
  });
  // What is typed is undone while the form is there, and no longer.
  const told = useRef<(() => void)[]>([]);
  useEffect(() => {
    const here = told.current;
    return () => {
      for (const takeAway of here) takeAway();
    };
  }, []);
  const tellHere = (words: string, back: () => void) => told.current.push(tell(words, back));
  if (isNewer && !isTouched(state)) setState(untouched(newest));
  const takeTheirs = () => {
    const before = state;
    setState(untouched(newest));
    save.reset();
    tellHere(t.tookTheirs, () => setState(before));
  };
  /** What is typed, as text or in the form; undefined, and said so, where it cannot be read. */
  const typed = (): Content | undefined => {
    setNoJson(false);
    if (text === undefined) return contentOf(base, rows);
    try {
      const read: unknown = JSON.parse(text);
      if (typeof read === "object" && read !== null && !Array.isArray(read)) return read as Content;
    } catch {
      // Said below.
    }
    setNoJson(true);
    return undefined;
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const next = typed();
    if (next) save.mutate({ next, at: on });
  };
  const saveOver = () => {
    const next = typed();
    if (next) save.mutate({ next, at: newest });
  };
  const turn = () => {
    const next = typed();
    if (next === undefined) return;
    setState({
      on,
      base: next,
      rows: rowsOf(next),
      text: text === undefined ? JSON.stringify(next, null, 2) : undefined,
    });
  };
  const faults = faultsOf(save.error);
  const change = (key: number, part: Partial<ServerRow>) =>
    setRows(rows.map((row) => (row.key === key ? { ...row, ...part } : row)));
  return (
    <form className="stack" onSubmit={submit}>
      <div className="actions">
        <button type="button" onClick={turn}>
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
          isOwnFault
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
                      const gone = rows[at]!;
                      setRows(rows.toSpliced(at, 1));
                      tellHere(t.removed(host), () =>
                        setState(({ rows: now, ...before }) => ({
                          ...before,
                          rows: now.toSpliced(at, 0, { ...gone, key: freshKey(now) }),
                        })),
                      );
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
            onClick={() => setRows([...rows, { key: freshKey(rows), host: "", addresses: "", rest: {} }])}
          >
            {t.add}
          </button>
        </>
      )}
      {isNewer && !save.isPending ? (
        <section className="note note-warning stack" role="alert">
          <p>
            {t.changedMeanwhile} <When at={newest.changedAt} show="both" />
          </p>
          <details>
            <summary>{t.theirs}</summary>
            <pre className="block">{differing(newest.content, on.content)}</pre>
          </details>
          <div className="actions">
            <button type="button" onClick={takeTheirs}>
              {t.takeTheirs}
            </button>
            <button type="button" disabled={save.isPending} onClick={saveOver}>
              {t.saveOver}
            </button>
          </div>
        </section>
      ) : (
        <Problem error={save.error ?? undo.error} />
      )}
      <div className="actions">
        <button type="submit" className="primary" disabled={save.isPending || isNewer}>
          {t.save}
        </button>
        <span className="hint">
          {t.changed} <When at={on.changedAt} show="both" />
        </span>
      </div>
    </form>
  );
}

/** The entries, and of servers those, that are another now than before. */
function differing(now: Content, before: Content): string {
  const isSame = (x: unknown, y: unknown) => JSON.stringify(x) === JSON.stringify(y);
  const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  const keys = [...new Set([...Object.keys(now), ...Object.keys(before)])];
  const changed = keys
    .filter((key) => !isSame(now[key], before[key]))
    .map((key) => {
      if (key !== "servers") return [key, now[key] ?? null];
      const had = listed(before[key]);
      return [key, listed(now[key]).filter((server) => !had.some((each) => isSame(each, server)))];
    });
  return JSON.stringify(Object.fromEntries(changed), null, 2);
}

/** What a refusal says of a place: "servers[0].addresses[1]" is about the addresses of the first server. */
function faultsOf(error: unknown): (place: string) => string | undefined {
  const parts = error instanceof ApiProblem ? error.parts : [];
  return (place) => parts.find(({ where }) => where === place || where.startsWith(`${place}[`))?.what;
}
