/** The words of a domain's description. */
import { pageTexts } from "./texts.tsx";

export const useDescriptionTexts = pageTexts({
  en: async () => (await import("./description-en.ts")).descriptionEn,
  de: async () => (await import("./description-de.ts")).descriptionDe,
});
