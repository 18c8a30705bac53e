/** Whether the server answers; while it does not, it is asked again and again. */
import { useSyncExternalStore } from "react";

export type ConnectionState = "here" | "lost" | "back";

const FIRST_MILLISECONDS = 1000;
const LONGEST_MILLISECONDS = 8000;
const BACK_MILLISECONDS = 4000;

let state: ConnectionState = "here";
let timer: number | undefined;
const watchers = new Set<() => void>();
const returns = new Set<() => void>();

function become(next: ConnectionState): void {
  state = next;
  for (const each of watchers) each();
}

/** Called by whoever got no answer. */
export function connectionLost(): void {
  if (state === "lost") return;
  become("lost");
  tryAgain(FIRST_MILLISECONDS);
}

const answers = (): Promise<boolean> =>
  fetch("/healthz", { cache: "no-store" }).then(
    ({ ok }) => ok,
    () => false,
  );

function tryAgain(milliseconds: number): void {
  window.clearTimeout(timer);
  timer = window.setTimeout(async () => {
    if (!(await answers())) return tryAgain(Math.min(milliseconds * 2, LONGEST_MILLISECONDS));
    become("back");
    for (const each of returns) each();
    timer = window.setTimeout(() => become("here"), BACK_MILLISECONDS);
  }, milliseconds);
}

// Without a network a server on this machine answers all the same.
window.addEventListener("offline", async () => {
  if (!(await answers())) connectionLost();
});
window.addEventListener("online", () => {
  if (state === "lost") tryAgain(0);
});

/** What is to be read anew once the server is back. */
export function whenBack(act: () => void): void {
  returns.add(act);
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export const useConnection = (): ConnectionState => useSyncExternalStore(watch, () => state);
