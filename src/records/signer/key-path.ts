/** The key files that a signing program's configuration names, each with the domain and selector it signs with. */
import type { DkimSelector } from "../../standards/dkim/selector.ts";
import { type DomainName, parseDomainName } from "../../standards/dns/name.ts";
import { type Place, SENDER_DOMAIN, type SignerConfiguration } from "./configuration.ts";

export interface KeyPath {
  readonly signingDomain: DomainName;
  readonly dkimSelector: DkimSelector;
  readonly file: string;
  /** The program signs without it where the file is not there. */
  readonly isOptional: boolean;
}

/** A key of which the configuration does not say where it lies, or whose it is. */
export interface UnnamedKey {
  readonly place: Place;
  readonly problem: string;
}

export interface KeyPaths {
  readonly paths: readonly KeyPath[];
  readonly unnamed: readonly UnnamedKey[];
}

export function keyPathsOf({ rules }: SignerConfiguration): KeyPaths {
  const paths = new Map<string, KeyPath>();
  const unnamed = new Map<string, UnnamedKey>();
  const unnamedFallback = new Map<string, UnnamedKey>();
  for (const { keys, senders, needsKeyFile: isOptional = false } of rules) {
    for (const { signingDomain, dkimSelector, key, place } of keys) {
      const miss = (problem: string) =>
        (isOptional ? unnamedFallback : unnamed).set(`${place.path}:${place.line} ${problem}`, {
          place,
          problem,
        });
      const name = signingDomain === SENDER_DOMAIN ? senders.host : signingDomain;
      const domain = name.includes("*") ? undefined : parseDomainName(name);
      if ("half" in key) {
        miss(`the key of "${dkimSelector}" stands in the table itself: put it into a file, and import that`);
      } else if (!domain?.ok || /[/\\]/.test(domain.value)) {
        miss(
          `the key of "${dkimSelector}" is for whatever domain the sender has: import the folder of its files`,
        );
      } else {
        const file = key.file.replaceAll("$domain", domain.value).replaceAll("$selector", dkimSelector);
        paths.set(`${dkimSelector} ${domain.value} ${file}`, {
          signingDomain: domain.value,
          dkimSelector,
          file,
          isOptional,
        });
      }
    }
  }
  // Beside keys that are named, a fallback for everybody else's mail is nothing to miss.
  const missed = paths.size > 0 ? unnamed : new Map([...unnamed, ...unnamedFallback]);
  return { paths: [...paths.values()], unnamed: [...missed.values()] };
}
