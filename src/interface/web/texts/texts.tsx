/** The words of the pages, in the reader's language. */
import { createContext, type ReactNode, use, useContext } from "react";
import { type Language, useLanguage } from "../layout/choice.ts";
import type { Texts } from "./en.ts";

const LOADERS = {
  en: async () => (await import("./en.ts")).en,
  de: async () => (await import("./de.ts")).de,
} satisfies Record<Language, () => Promise<Texts>>;

const loaded = new Map<Language, Promise<Texts>>();

export function loadTexts(language: Language): Promise<Texts> {
  const texts = loaded.get(language) ?? LOADERS[language]();
  loaded.set(language, texts);
  return texts;
}

const Context = createContext<Texts | undefined>(undefined);

export function TextsProvider({ children }: { readonly children: ReactNode }) {
  const language = useLanguage();
  const texts = use(loadTexts(language));
  document.documentElement.lang = language;
  return <Context value={texts}>{children}</Context>;
}

/** Words of some pages alone, loaded with them. */
export function pageTexts<T>(loaders: Readonly<Record<Language, () => Promise<T>>>): () => T {
  const own = new Map<Language, Promise<T>>();
  return () => {
    const language = useLanguage();
    const texts = own.get(language) ?? loaders[language]();
    own.set(language, texts);
    return use(texts);
  };
}

export function useTexts(): Texts {
  const texts = useContext(Context);
  if (texts === undefined) throw new Error("there is no TextsProvider around this");
  return texts;
}
