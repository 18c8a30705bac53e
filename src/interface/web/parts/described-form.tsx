/**
 * What is described, as a form and as text, on the revision that was read. What others change meanwhile is told;
 * what is typed stays until it is saved or given up, and giving it up can be undone.
 */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { ApiProblem, isProblem } from "../api/problem.ts";
import { useTexts } from "../texts/texts.tsx";
import { TextField } from "./field.tsx";
import { Problem } from "./problem.tsx";
import { tell, useTellHere } from "./toast.tsx";
import { When } from "./when.tsx";
import "../style/administration.css";

export type Content = Readonly<Record<string, unknown>>;

export interface Described {
  readonly content: Content;
  readonly revision: number;
  readonly changedAt: string;
}

interface Shape<F> {
  /** What of the content the form shows. */
  readonly formOf: (content: Content) => F;
  /** The content with the form put back into it: a form as it was read changes nothing. */
  readonly contentOf: (content: Content, form: F) => Content;
}

interface DescribedFormProps<F> extends Shape<F> {
  /** The newest that is known. */
  readonly newest: Described;
  readonly put: (content: Content, revision: number) => Promise<{ readonly revision: number }>;
  /** Has `newest` read anew. */
  readonly read: () => Promise<unknown>;
  /** What stands before the places that a refusal names: "domains[0]." */
  readonly place?: string;
  /** The entry that is a list of which each item counts. */
  readonly list?: string;
  readonly words: { readonly text: string; readonly textHint: string; readonly saved: string };
  /** Shown once it is saved: what is next. */
  readonly next?: ReactNode;
  readonly children: (
    form: F,
    change: (next: F) => void,
    faultOf: (place: string) => string | undefined,
  ) => ReactNode;
}

/** What is typed, and on what it stands. */
interface Typed<F> {
  readonly on: Described;
  readonly base: Content;
  readonly form: F;
  /** Undefined where it is edited as a form. */
  readonly text: string | undefined;
}

const written = (content: Content) => JSON.stringify(content, null, 2);
const isSame = (x: unknown, y: unknown) => JSON.stringify(x) === JSON.stringify(y);

function readJson(text: string): Content | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null && !Array.isArray(read) ? (read as Content) : undefined;
  } catch {
    return undefined;
  }
}

export function DescribedForm<F>({
  newest,
  formOf,
  contentOf,
  put,
  read,
  place = "",
  list,
  words,
  next,
  children,
}: DescribedFormProps<F>) {
  const { described: t } = useTexts();
  const tellHere = useTellHere();
  const asRead = (on: Described, isText: boolean): Typed<F> => ({
    on,
    base: on.content,
    form: formOf(on.content),
    text: isText ? written(on.content) : undefined,
  });
  const saying = (typed: Typed<F>): Content | undefined =>
    typed.text === undefined ? contentOf(typed.base, typed.form) : readJson(typed.text);
  const isTouched = (typed: Typed<F>) => {
    const { content } = typed.on;
    const said = saying(typed);
    return !isSame(said, content) && !isSame(said, contentOf(content, formOf(content)));
  };
  const [state, setState] = useState(() => asRead(newest, false));
  const [isNoJson, setNoJson] = useState(false);
  const { on, form, text } = state;
  const undo = useMutation({
    mutationFn: ({ content, at }: { readonly content: Content; readonly at: number }) => put(content, at),
    onSuccess: async () => {
      save.reset();
      await read();
    },
    onError: (error) => tell(error.message),
  });
  const save = useMutation({
    mutationFn: ({ said, at }: { readonly said: Content; readonly at: Described }) => put(said, at.revision),
    onSuccess: async ({ revision: after }, { at, said }) => {
      tell(words.saved, () => undo.mutate({ content: at.content, at: after }));
      setState((before) => ({ ...before, on: { ...at, content: said } }));
      await read();
      // What was typed while this was on its way stays, and stands on what was saved.
      setState((before) =>
        isTouched(before) ? { ...before, on: { ...before.on, revision: after } } : before,
      );
    },
    onError: (error) => isProblem(error, "stale") && read(),
  });
  const isNewer = newest.revision > on.revision;
  if (isNewer && !isTouched(state)) setState(asRead(newest, text !== undefined));
  // Something beside the content is another now: what is typed has nothing to do with it.
  else if (isNewer && isSame(newest.content, on.content)) setState({ ...state, on: newest });
  const takeTheirs = () => {
    const before = state;
    setState(asRead(newest, text !== undefined));
    save.reset();
    setNoJson(false);
    tellHere(t.tookTheirs, () => setState(before));
  };
  /** Undefined, and said so, where the text cannot be read. */
  const typed = (): Content | undefined => {
    const said = saying(state);
    setNoJson(said === undefined);
    return said;
  };
  const saveOn = (at: Described) => {
    const said = typed();
    if (said) save.mutate({ said, at });
  };
  const turn = () => {
    const said = typed();
    if (said === undefined) return;
    setState({ on, base: said, form: formOf(said), text: text === undefined ? written(said) : undefined });
  };
  const faults = save.error instanceof ApiProblem ? save.error.parts : [];
  const faultOf = (field: string) =>
    faults.find(({ where }) => where === place + field || where.startsWith(`${place}${field}[`))?.what;
  const faultOfText = isNoJson
    ? t.notJson
    : faults
        .map(({ where, what }) => `${where.startsWith(place) ? where.slice(place.length) : where}: ${what}`)
        .join("\n");
  return (
    <form
      className="stack"
      onSubmit={(event: FormEvent<HTMLFormElement>) => {
        event.preventDefault();
        saveOn(on);
      }}
    >
      <div className="actions">
        <button type="button" onClick={turn}>
          {text === undefined ? t.asText : t.asForm}
        </button>
      </div>
      {text === undefined ? (
        children(form, (changed) => setState((before) => ({ ...before, form: changed })), faultOf)
      ) : (
        <TextField
          label={words.text}
          hint={words.textHint}
          rows={20}
          value={text}
          onChange={({ target: { value } }) => setState((before) => ({ ...before, text: value }))}
          fault={faultOfText || undefined}
          isOwnFault={isNoJson}
        />
      )}
      {isNewer && !save.isPending ? (
        <section className="note note-warning stack" role="alert">
          <p>
            {t.changedMeanwhile} <When at={newest.changedAt} show="both" />
          </p>
          <details>
            <summary>{t.theirs}</summary>
            <pre className="block">{differing(newest.content, on.content, list)}</pre>
          </details>
          <div className="actions">
            <button type="button" onClick={takeTheirs}>
              {t.takeTheirs}
            </button>
            <button type="button" onClick={() => saveOn(newest)}>
              {t.saveOver}
            </button>
          </div>
        </section>
      ) : (
        // Beside the text stands already what is wrong with it.
        (text === undefined || faults.length === 0) && <Problem error={save.error} />
      )}
      <div className="actions">
        <button type="submit" className="primary" disabled={save.isPending || isNewer}>
          {t.save}
        </button>
        <span className="hint">
          {t.changed} <When at={on.changedAt} show="both" />
        </span>
      </div>
      {save.isSuccess && !isTouched(state) && next}
    </form>
  );
}

/** The entries, and of the list those items, that are another now than before. */
function differing(now: Content, before: Content, list: string | undefined): string {
  const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  const keys = [...new Set([...Object.keys(now), ...Object.keys(before)])];
  const changed = keys
    .filter((key) => !isSame(now[key], before[key]))
    .map((key) => {
      if (key !== list) return [key, now[key] ?? null];
      const had = listed(before[key]);
      return [key, listed(now[key]).filter((item) => !had.some((each) => isSame(each, item)))];
    });
  return written(Object.fromEntries(changed));
}
