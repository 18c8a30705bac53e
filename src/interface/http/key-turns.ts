/** Making a key holds a thread that files and passwords need as well: few are made at once, two of one owner, one of a domain. */
import type { StoredDomain } from "../../records/description-store.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { Refusal } from "./problem.ts";

const AT_ONCE = 2;
/** Some five seconds of waiting for the last of them, at 4096 bits. */
const MAX_WAITING = 16;
/** Waiting or under way: what is left is for the others. Domains of administrators alone are nobody's. */
const MAX_OF_OWNER = 2;
const RETRY_SECONDS = 5;

/** What is looked at within a turn stays so until it ends: nobody else adds a key to the domain. */
export type KeyTurns = <T>(of: Pick<StoredDomain, "domain" | "ownerId">, act: () => Promise<T>) => Promise<T>;

export function keyTurns(): KeyTurns {
  const domains = new Map<DomainName, StoredDomain["ownerId"]>();
  const waiting: (() => void)[] = [];
  let underWay = 0;
  return async ({ domain, ownerId }, act) => {
    const retryAfterSeconds = RETRY_SECONDS;
    if (domains.has(domain))
      throw new Refusal(
        "busy",
        `another key of ${domain} is being made at this moment`,
        "look at the keys, and try again once it is there",
        { retryAfterSeconds },
      );
    const ofOwner = [...domains.values()].filter((owner) => owner === ownerId).length;
    if (ownerId !== undefined && ofOwner >= MAX_OF_OWNER)
      throw new Refusal(
        "busy",
        `${MAX_OF_OWNER} other keys of the owner of ${domain} are being made at this moment`,
        "try again once one of them is there",
        { retryAfterSeconds },
      );
    if (underWay >= AT_ONCE && waiting.length >= MAX_WAITING)
      throw new Refusal(
        "not-ready",
        "too many keys are being made at this moment",
        "try again in a few seconds",
        { retryAfterSeconds },
      );
    domains.set(domain, ownerId);
    try {
      // Who ends hands over its place.
      if (underWay >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
      else underWay++;
      try {
        return await act();
      } finally {
        const next = waiting.shift();
        if (next === undefined) underWay--;
        else next();
      }
    } finally {
      domains.delete(domain);
    }
  };
}
