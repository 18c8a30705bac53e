/** Short words about what was done, with the way back. */
import { useEffect, useRef, useSyncExternalStore } from "react";
import { useSession } from "../api/session.ts";
import { useTexts } from "../texts/texts.tsx";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly undo?: (() => void) | undefined;
  /** Once it is away, however that came. */
  readonly onEnd?: (() => void) | undefined;
}

const SHOWN_MILLISECONDS = 8000;
/** The way back has to be found first. */
const UNDO_MILLISECONDS = 60_000;
const MAX_SHOWN = 3;

let toasts: readonly Toast[] = [];
let nextId = 1;
const watchers = new Set<() => void>();
const timers = new Map<number, number>();

function become(next: readonly Toast[]): void {
  toasts = next;
  for (const each of watchers) each();
}

function end(ended: readonly Toast[]): void {
  if (ended.length === 0) return;
  for (const { id } of ended) hold(id);
  become(toasts.filter((each) => !ended.includes(each)));
  for (const { onEnd } of ended) onEnd?.();
}

const endOne = (id: number) => end(toasts.filter((each) => each.id === id));

function takeBack({ id, undo }: Toast): void {
  undo?.();
  endOne(id);
}

/** Nobody is hurried while they are at it. */
function hold(id: number): void {
  window.clearTimeout(timers.get(id));
  timers.delete(id);
}

function letGo({ id, undo }: Toast): void {
  hold(id);
  timers.set(
    id,
    window.setTimeout(() => endOne(id), undo ? UNDO_MILLISECONDS : SHOWN_MILLISECONDS),
  );
}

/** Returns what takes it away. */
export function tell(text: string, undo?: () => void, onEnd?: () => void): () => void {
  const toast = { id: nextId++, text, undo, onEnd };
  become([...toasts, toast]);
  letGo(toast);
  end(toasts.slice(0, -MAX_SHOWN));
  return () => endOne(toast.id);
}

/** What is typed is undone while the form that says so is there, and no longer. */
export function useTellHere(): (text: string, undo: () => void) => void {
  const told = useRef<(() => void)[]>([]);
  useEffect(() => {
    const here = told.current;
    return () => {
      for (const takeAway of here.splice(0)) takeAway();
    };
  }, []);
  return (text, undo) => void told.current.push(tell(text, undo));
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

const IS_APPLE = /Mac|iP(?:hone|ad)/.test(navigator.userAgent);
/** There the browser takes back what was typed. */
const TYPED_INTO = "textarea, [contenteditable], input:not([type=checkbox], [type=radio])";

/** The newest that can be undone is undone by the key that undoes things elsewhere. */
function undoByKey(event: KeyboardEvent): void {
  if (event.key.toLowerCase() !== "z" || event.shiftKey || event.altKey) return;
  if (!(IS_APPLE ? event.metaKey : event.ctrlKey)) return;
  if (event.target instanceof Element && event.target.closest(`dialog, ${TYPED_INTO}`)) return;
  const newest = toasts.findLast(({ undo }) => undo !== undefined);
  if (newest === undefined) return;
  event.preventDefault();
  takeBack(newest);
}

export function Toasts() {
  const { toast: t } = useTexts();
  const shown = useSyncExternalStore(watch, () => toasts);
  const who = useSession()?.user.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what one person has done, another does not undo
  useEffect(() => () => end(toasts), [who]);
  useEffect(() => {
    window.addEventListener("keydown", undoByKey);
    return () => window.removeEventListener("keydown", undoByKey);
  }, []);
  return (
    <div className="toasts" role="status">
      {shown.map((toast) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: nothing is done here; it only stays meanwhile
        <div
          className="toast"
          key={toast.id}
          onPointerEnter={() => hold(toast.id)}
          onPointerLeave={({ currentTarget }) => currentTarget.matches(":focus-within") || letGo(toast)}
          onFocus={() => hold(toast.id)}
          onBlur={({ currentTarget }) => currentTarget.matches(":hover") || letGo(toast)}
        >
          <span>{toast.text}</span>
          {toast.undo && (
            <button
              type="button"
              aria-keyshortcuts={IS_APPLE ? "Meta+Z" : "Control+Z"}
              onClick={() => takeBack(toast)}
            >
              {t.undo}
            </button>
          )}
          {toast.undo && <kbd>{IS_APPLE ? "⌘Z" : t.undoKey}</kbd>}
          <button type="button" className="toast-close" aria-label={t.close} onClick={() => endOne(toast.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
