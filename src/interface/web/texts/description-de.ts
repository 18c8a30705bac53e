/** Worte über die Beschreibung einer Domain auf Deutsch. */
import type { DescriptionTexts } from "./description-en.ts";

export const descriptionDe: DescriptionTexts = {
  title: "Beschreibung",
  lead: "Was diese Domain sein soll. Daraus folgen ihre Einträge, danach werden ihre Befunde beurteilt; mit dem Speichern wird nichts veröffentlicht.",
  readOnly: "Ihre Rolle darf das lesen, aber nichts ändern.",
  receives: "Empfängt Mail",
  receivesHint: "Sonst sagt ein Null-MX, dass niemand an diese Domain schreiben kann.",
  sends: "Versendet Mail",
  sendsHint: "Sonst weisen SPF, DKIM und DMARC alle Mail in ihrem Namen ab.",
  policy: "DMARC-Richtlinie",
  policyHint: "Worum Empfänger gebeten werden, wenn Mail in ihrem Namen durchfällt.",
  policies: {
    none: "none: zustellen und berichten",
    quarantine: "quarantine: in den Spam-Ordner",
    reject: "reject: abweisen",
  },
  reports: "Sammelberichte gehen an",
  reportsHint: "Postfächer, durch Leerzeichen getrennt, die Sie oder ein Dienst lesen; leer bittet um keine.",
  mode: "MTA-STS",
  modeHint:
    "Bittet Absender um TLS mit gültigem Zertifikat. „Aus“ lässt alle, die eine Richtlinie kennen, sie vergessen; die Einträge verschwinden, wenn „mtaSts“ aus dem Text genommen wird.",
  modes: {
    off: "aus",
    testing: "testing: Fehler werden nur berichtet",
    enforce: "enforce: ohne TLS wird nichts zugestellt",
  },
  tlsReports: "TLS-Berichte gehen an",
  tlsReportsHint:
    "Postfächer oder https-Adressen, denen Absender sagen, ob TLS gelang; leer bittet um keine.",
  more: (names) => `Mehr im Text: ${names}.`,
  yes: "ja",
  no: "nein",
  nobody: "niemanden",
  text: "Beschreibung der Domain (JSON)",
  textHint: "Wie ein Eintrag von „domains“ in zonepost.yaml.",
  whole: "Die ganze Beschreibung",
  saved: "Gespeichert. Ab der nächsten Prüfung wird die Domain danach beurteilt.",
  next: "Hier ist es gespeichert; im DNS bleibt alles, bis es veröffentlicht wird. Was daraus wird:",
  toRecords: "Einträge",
  toPublish: "Veröffentlichen",
  owner: "Wem sie gehört",
  ownerHint:
    "Wem sie gehört, sieht und ändert diese Domain. Mit der Übergabe beginnen Befunde und Verlauf von vorn: was bisher zu sehen war, ist weg, und auch das Rückgängigmachen bringt es nicht zurück.",
  ownerLabel: "Gehört",
  administrators: "nur der Verwaltung",
  handOver: "Übergeben",
  handedOver: (name) => `Sie gehört jetzt ${name}.`,
  handedBack: "Sie gehört jetzt nur der Verwaltung.",
  remove: "Domain entfernen",
  removeHint:
    "Sie wird nicht mehr betreut. Was veröffentlicht ist, bleibt im DNS, und ihre DKIM-Schlüssel bleiben hier; ihr Verlauf ist weg und beginnt von vorn, falls sie wieder hinzukommt.",
  removeGo: (domain) => `${domain} entfernen`,
  removed: (domain) => `${domain} ist entfernt; was veröffentlicht ist, bleibt.`,
  broughtBack: (domain) => `${domain} ist wieder da.`,
};
