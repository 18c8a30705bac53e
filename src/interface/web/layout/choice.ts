/** What a reader has chosen for this browser: colours and language. */
import { useSyncExternalStore } from "react";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

const watchers = new Set<() => void>();

function read<T extends string>(key: string, allowed: readonly T[]): T | undefined {
  const kept = window.localStorage.getItem(`zonepost.${key}`);
  return allowed.find((each) => each === kept);
}

function write(key: string, value: string): void {
  window.localStorage.setItem(`zonepost.${key}`, value);
  for (const each of watchers) each();
}

export const readTheme = (): Theme => read("theme", THEMES) ?? "auto";

/** Where nothing was chosen: the first of the browser's languages that there is. */
export const readLanguage = (): Language =>
  read("language", LANGUAGES) ??
  navigator.languages.map((tag) => LANGUAGES.find((each) => tag.startsWith(each))).find((each) => each) ??
  "en";

export function chooseTheme(theme: Theme): void {
  write("theme", theme);
  showTheme(theme);
}

export const chooseLanguage = (language: Language): void => write("language", language);

export function showTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export const useTheme = (): Theme => useSyncExternalStore(watch, readTheme);
export const useLanguage = (): Language => useSyncExternalStore(watch, readLanguage);
