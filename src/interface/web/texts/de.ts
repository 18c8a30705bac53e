/** Alle Worte der Seiten auf Deutsch. */
import type { Texts } from "./en.ts";
import { plurals } from "./plural.ts";

const several = plurals("de");

export const de: Texts = {
  language: "de",
  app: {
    name: "Zonepost",
    skip: "Zum Inhalt springen",
    loading: "Wird geladen …",
    language: "Sprache",
    languages: { en: "English", de: "Deutsch" },
    api: "API",
  },
  theme: { label: "Farben", auto: "wie das System", light: "hell", dark: "dunkel" },
  menu: {
    label: "Hauptmenü",
    open: "Menü",
    loggedInAs: "Angemeldet als",
    logOut: "Abmelden",
    role: (role) => (role === "administrator" ? "Verwaltung" : role === "owner" ? "Inhaber" : "Nur lesen"),
    entries: { overview: "Domains" },
  },
  connection: {
    lost: "Verbindung verloren, neuer Versuch …",
    back: "Die Verbindung ist wieder da.",
  },
  problem: {
    title: "Das hat nicht geklappt",
    unforeseen: "Etwas Unvorhergesehenes ist geschehen.",
    tryAgain: (detail) =>
      `Versuchen Sie es noch einmal; bleibt es dabei, steht mehr im Protokoll des Servers. (${detail})`,
    again: "Noch einmal versuchen",
    sentence: (text) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`,
  },
  severity: {
    name: {
      error: "Fehler",
      unknown: "Nicht feststellbar",
      warning: "Warnung",
      notice: "Hinweis",
      ok: "In Ordnung",
      unchecked: "Noch nicht geprüft",
    },
    count: {
      error: (count) => several(count, "Fehler", "Fehler"),
      unknown: (count) => several(count, "Sache nicht feststellbar", "Sachen nicht feststellbar"),
      warning: (count) => several(count, "Warnung", "Warnungen"),
      notice: (count) => several(count, "Hinweis", "Hinweise"),
      ok: (count) => several(count, "Prüfung in Ordnung", "Prüfungen in Ordnung"),
      unchecked: (count) => several(count, "Domain noch nicht geprüft", "Domains noch nicht geprüft"),
    },
  },
  copy: {
    label: (what) => `${what} kopieren`,
    ready: "Kopieren",
    copied: "Kopiert",
    refused: "Nicht kopiert: markieren und von Hand kopieren",
  },
  toast: { undo: "Rückgängig" },
  notFound: {
    title: "Diese Seite gibt es nicht",
    lead: "Vielleicht ist der Link alt, oder das Ziel ist nicht mehr da.",
    back: "Zu Ihren Domains",
  },
  setup: {
    title: "Willkommen bei Zonepost",
    lead: "Legen Sie die erste Verwalterin oder den ersten Verwalter an. Dieser Link gilt einmal, und eine Stunde ab dem Start des Servers.",
    noSecret:
      "Der Link ist nicht vollständig: öffnen Sie ihn so, wie der Server ihn gezeigt hat, mit allem hinter dem #.",
    closed: "Es gibt schon jemanden, der verwaltet: melden Sie sich an.",
    name: "Name",
    nameHint: "Damit melden Sie sich an.",
    password: "Passwort",
    passwordHint: "Mindestens 12 Zeichen. Gut sind ein paar Wörter, die nur Ihnen etwas sagen.",
    make: "Los geht's",
  },
  login: {
    title: "Anmelden",
    ended: "Ihre Sitzung ist vorbei. Melden Sie sich an, und Sie sind wieder, wo Sie waren.",
    name: "Name",
    password: "Passwort",
    logIn: "Anmelden",
    passkey: "Mit einem Passkey",
    code: "Code",
    codeLead: "Noch ein Schritt: der Code, den Ihre Authenticator-App jetzt zeigt.",
    codeHint: "Sechs Ziffern",
    sendCode: "Weiter",
    other: "Als jemand anderes anmelden",
    forgotten: "Vergessen? Wer verwaltet, kann Ihnen ein neues Passwort geben.",
    setupOpen:
      "Es gibt noch niemanden, der verwaltet. Öffnen Sie den Link, den der Server beim Start gezeigt hat.",
  },
  overview: { title: "Ihre Domains" },
};
