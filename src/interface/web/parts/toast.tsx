/** Short words about what was done, with the way back. */
import { useSyncExternalStore } from "react";
import { useTexts } from "../texts/texts.tsx";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly undo?: () => void;
}

const SHOWN_MILLISECONDS = 8000;

let toasts: readonly Toast[] = [];
let nextId = 1;
const watchers = new Set<() => void>();

function become(next: readonly Toast[]): void {
  toasts = next;
  for (const each of watchers) each();
}

const drop = (id: number) => become(toasts.filter((each) => each.id !== id));

export function tell(text: string, undo?: () => void): void {
  const id = nextId++;
  become([...toasts.slice(-2), { id, text, ...(undo && { undo }) }]);
  window.setTimeout(() => drop(id), SHOWN_MILLISECONDS);
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function Toasts() {
  const { toast: t } = useTexts();
  const shown = useSyncExternalStore(watch, () => toasts);
  return (
    <div className="toasts" role="status">
      {shown.map(({ id, text, undo }) => (
        <div className="toast" key={id}>
          <span>{text}</span>
          {undo && (
            <button
              type="button"
              onClick={() => {
                drop(id);
                undo();
              }}
            >
              {t.undo}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
