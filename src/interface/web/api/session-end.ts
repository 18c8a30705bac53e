/** Whether the session has ended under a page that is open: the page stays as it is until somebody logs in again. */
import { useSyncExternalStore } from "react";

let isOver = false;
const watchers = new Set<() => void>();

export function sessionOver(next: boolean): void {
  if (isOver === next) return;
  isOver = next;
  for (const each of watchers) each();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Whether somebody is asked to log in above the page. */
export const isSessionOver = (): boolean => isOver;

export const useSessionOver = (): boolean => useSyncExternalStore(watch, () => isOver);
