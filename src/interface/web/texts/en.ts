/** All words of the pages in English; other languages have the same shape. */
import { plurals } from "./plural.ts";

const several = plurals("en");

export const en = {
  language: "en",
  app: {
    name: "Zonepost",
    skip: "Skip to content",
    loading: "Loading …",
    language: "Language",
    languages: { en: "English", de: "Deutsch" },
    api: "API",
  },
  theme: { label: "Colours", auto: "as the system", light: "light", dark: "dark" },
  menu: {
    label: "Main menu",
    open: "Menu",
    loggedInAs: "Logged in as",
    logOut: "Log out",
    role: (role: string): string =>
      role === "administrator" ? "Administrator" : role === "owner" ? "Owner" : "Reader",
    entries: { overview: "Domains" },
  },
  connection: {
    lost: "Connection lost, trying again …",
    back: "The connection is back.",
  },
  problem: {
    title: "This did not work",
    unforeseen: "Something unforeseen happened.",
    tryAgain: (detail: string) =>
      `Try again; if it stays, an administrator finds more in the server's log. (${detail})`,
    again: "Try again",
    /** The server's words as a sentence. */
    sentence: (text: string) =>
      `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`,
  },
  severity: {
    name: {
      error: "Error",
      unknown: "Could not tell",
      warning: "Warning",
      notice: "Notice",
      ok: "Fine",
      unchecked: "Not checked yet",
    },
    count: {
      error: (count: number) => several(count, "error", "errors"),
      unknown: (count: number) => several(count, "thing could not be told", "things could not be told"),
      warning: (count: number) => several(count, "warning", "warnings"),
      notice: (count: number) => several(count, "notice", "notices"),
      ok: (count: number) => several(count, "check is fine", "checks are fine"),
      unchecked: (count: number) => several(count, "domain not checked yet", "domains not checked yet"),
    },
  },
  copy: {
    label: (what: string) => `Copy ${what}`,
    ready: "Copy",
    copied: "Copied",
    refused: "Not copied: mark it and copy it by hand",
  },
  toast: { undo: "Undo" },
  notFound: {
    title: "There is no such page",
    lead: "The link may be old, or what it led to is gone.",
    back: "To your domains",
  },
  setup: {
    title: "Welcome to Zonepost",
    lead: "Make the first administrator. This link works once, and within an hour of the server's start.",
    noSecret:
      "The link is not whole: open it as the server has printed it, with all that stands behind the # sign.",
    closed: "There is an administrator already: log in.",
    name: "Name",
    nameHint: "You log in with it.",
    password: "Password",
    passwordHint: "At least 12 characters. A few words that mean something to you alone are good.",
    make: "Begin",
  },
  login: {
    title: "Log in",
    ended: "Your session is over. Log in, and you are back where you were.",
    name: "Name",
    password: "Password",
    logIn: "Log in",
    passkey: "With a passkey",
    code: "Code",
    codeLead: "One step more: the code that your authenticator app shows now.",
    codeHint: "Six digits",
    sendCode: "Go on",
    other: "Log in as somebody else",
    forgotten: "Forgotten? An administrator can give you a new password.",
    setupOpen:
      "There is no administrator yet. Open the link that the server has printed when it was started.",
  },
  overview: { title: "Your domains" },
};

export type Texts = Omit<typeof en, "language"> & { readonly language: string };
