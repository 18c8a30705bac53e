/** The words of who holds zones. */
import { pageTexts } from "./texts.tsx";

export const useProvidersTexts = pageTexts({
  en: async () => (await import("./providers-en.ts")).providersEn,
  de: async () => (await import("./providers-de.ts")).providersDe,
});
