/** Which key a file of a signing program holds, by the name that such programs give it. */
import { type DkimSelector, parseDkimSelector } from "../standards/dkim/selector.ts";
import { parseDomainName } from "../standards/dns/name.ts";
import type { KeyName } from "./key-name.ts";

const ENDINGS = /\.(?:pem|private|key|rsa|ed25519)$/i;

/** Whether a file may hold a private key, so that others in its folder are left alone. */
export const isKeyFileName = (path: string): boolean => ENDINGS.test(path);

/**
 * From a path below the folder of keys: `example.org/default.private` (OpenDKIM), `example.org.default.key` (rspamd,
 * also `example.org.dkim.pem`), `default._domainkey.example.org.pem`, and what stands for missing parts: `fallback`.
 */
export function keyNameOfFile(path: string, fallback: Partial<KeyName> = {}): KeyName | undefined {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const stem = parts.at(-1)?.replace(ENDINGS, "") ?? "";
  const folder = parts.at(-2);
  const [, beforeKey, domainOfKey] = /^(.+)\._domainkey(?:\.(.+?))?\.?$/i.exec(stem) ?? [];
  if (beforeKey !== undefined) {
    return keyName(domainOfKey ?? folder ?? fallback.signingDomain, fallback.dkimSelector ?? beforeKey);
  }
  if (folder?.includes(".")) return keyName(folder, fallback.dkimSelector ?? stem);
  if (fallback.signingDomain !== undefined)
    return keyName(fallback.signingDomain, fallback.dkimSelector ?? stem);
  if (fallback.dkimSelector !== undefined) return keyName(stem, fallback.dkimSelector);
  // The selector is what follows the last dot: domains have dots, and selectors hardly ever.
  const dot = stem.lastIndexOf(".");
  return stem.indexOf(".") === dot ? undefined : keyName(stem.slice(0, dot), stem.slice(dot + 1));
}

function keyName(domainText: string | undefined, selectorText: string): KeyName | undefined {
  const signingDomain = parseDomainName((domainText ?? "").toLowerCase());
  const dkimSelector = parseDkimSelector(selectorText);
  const isWhole = signingDomain.ok && signingDomain.value.includes(".") && dkimSelector.ok;
  return isWhole
    ? { signingDomain: signingDomain.value, dkimSelector: dkimSelector.value as DkimSelector }
    : undefined;
}
