/** The words of what is brought into zones: keys and plans. */
import { pageTexts } from "./texts.tsx";

export const usePublishingTexts = pageTexts({
  en: async () => (await import("./publishing-en.ts")).publishingEn,
  de: async () => (await import("./publishing-de.ts")).publishingDe,
});
