/** Wer Zonen hält, auf Deutsch. */
import type { ProvidersTexts } from "./providers-en.ts";

export const providersDe: ProvidersTexts = {
  title: "Anbieter",
  lead: "Wo Ihre Zonen liegen. Ist ein Anbieter eingetragen, wird von hier aus veröffentlicht.",
  list: "Was da ist",
  none: "Noch kein Anbieter",
  noneHint: "Tragen Sie unten ein, wo Ihre Zonen liegen. Bis dahin werden Einträge von Hand kopiert.",
  kinds: {
    rfc2136: "BIND, Knot, PowerDNS (dynamische Updates)",
    powerdns: "PowerDNS über seine HTTP-API",
    cloudflare: "Cloudflare",
    route53: "Amazon Route 53",
    hetzner: "Hetzner",
    digitalocean: "DigitalOcean",
    desec: "deSEC",
    gandi: "Gandi",
    "zone-file": "Zonendatei",
  },
  allZones: "alle Domains, die kein anderer Anbieter nennt",
  zones: "Zonen",
  fields: {
    server: "Server",
    key: "Schlüssel",
    url: "URL",
    file: "Datei",
    check: "Prüfung",
    reload: "Neu laden",
    fragment: "Für $INCLUDE",
  },
  more: (count) => `und ${count} weitere`,
  enteredBy: (name) => `Eingetragen von ${name},`,
  bySettings:
    "Aus den Einstellungen des Servers: Geändert wird es dort. Nennen beide eine Zone, gelten die Einstellungen.",
  toSettings: "Zu den Einstellungen",
  test: "Ausprobieren",
  trying: "Wird ausprobiert: Die Zonen werden gelesen …",
  works: "geht",
  fails: "geht nicht",
  nothingTried:
    "Es gab keine Zone zum Ausprobieren. Nehmen Sie eine Domain auf oder nennen Sie beim Anbieter eine Zone; dann probieren Sie es aus.",
  again: "Neu eintragen",
  remove: "Wegnehmen",
  removed: (name) => `${name} ist weggenommen.`,
  enter: "Anbieter eintragen",
  anew: (name) => `${name}, neu eingetragen`,
  anewHint: "Geheimnisse werden nicht noch einmal gezeigt: Tippen Sie sie neu ein.",
  kind: "Wo liegen die Zonen?",
  server: "Primärer Nameserver",
  serverHint: "Seine Adresse, mit :Port, wo es nicht 53 ist",
  keyName: "Name des Schlüssels",
  algorithm: "Algorithmus",
  keySecret: "Geheimnis des Schlüssels",
  url: "URL der API",
  serverId: "Server in der API",
  apiKey: "API-Schlüssel",
  accessKeyId: "Access Key ID",
  secretAccessKey: "Secret Access Key",
  token: "Token",
  secretHint: "Versiegelt, und nie wieder gezeigt",
  ownZones: "Nur für diese Zonen",
  ownZonesHint: "Je Zeile eine; für alle Domains, wo es leer ist",
  help: {
    rfc2136: "Woher der Schlüssel kommt: Zeilen für BIND",
    powerdns:
      "In pdns.conf: api=yes, webserver=yes und der Schlüssel als api-key. Die Adresse dieses Servers muss in webserver-allow-from stehen.",
    cloudflare:
      "In Ihrem Profil unter „API Tokens“: „Create Token“ mit der Vorlage „Edit zone DNS“, für die Zonen, um die es hier geht.",
    route53:
      "Der Access Key eines eigenen IAM-Benutzers. Er braucht ListHostedZonesByName, ListResourceRecordSets und ChangeResourceRecordSets.",
    hetzner: "In der Hetzner Console, im Projekt mit der Zone: Sicherheit, API-Tokens, „Lesen & Schreiben“.",
    digitalocean: "Im Control Panel unter „API“: ein Token mit dem Bereich „domain“, alle vier Rechte.",
    desec:
      "In Ihrem deSEC-Konto unter „Token Management“: ein neues Token. Es braucht kein Recht, Tokens zu verwalten.",
    gandi:
      "In Ihrem Gandi-Konto unter Authentifizierung: ein persönliches Zugangstoken, das die technische Konfiguration von Domains verwalten darf.",
  },
  bindHint:
    "„tsig-keygen zonepost“ gibt einen Schlüssel aus. Der Server muss ihm erlauben, die Zone zu übertragen und zu ändern:",
  helpPage: "Die Seite dafür",
  snippet: "die Zeilen für named.conf",
  keep: "Ausprobieren und behalten",
  keptTrying: "Wird ausprobiert, bevor es behalten wird …",
  keepAnyway: "Trotzdem behalten",
  failedHint: {
    rfc2136:
      "Vergleichen Sie die Adresse sowie Name, Algorithmus und Geheimnis des Schlüssels mit denen des Servers. Er muss diesem Schlüssel erlauben, die Zone zu übertragen und zu ändern.",
    powerdns:
      "Vergleichen Sie URL und Schlüssel mit pdns.conf, und sehen Sie nach, ob dieser Rechner die URL erreicht.",
    api: "Vergleichen Sie das Geheimnis mit dem, was der Anbieter zeigt, und sehen Sie nach, ob es für diese Zone gilt.",
  },
  kept: (name) => `${name} ist behalten.`,
  publish: (domain) => `${domain} veröffentlichen`,
  cancel: "Abbrechen",
};
