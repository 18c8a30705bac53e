/** The kinds of work that is done for certain, and what each is told. */
import type { DomainName } from "../standards/dns/name.ts";
import type { AlertMessage } from "./alert.ts";

/** Plain JSON, as it comes back from the store. */
export interface JobPayloads {
  /**
   * The next step of a domain's keys. `publishes` stands in jobs of before, when it was not kept with the keys. Of so
   * many looks in a row no name server could be asked.
   */
  readonly "rotation-step": {
    readonly domain: DomainName;
    readonly publishes?: boolean;
    readonly blindLooks?: number;
  };
  /** Work that somebody follows: task.ts. */
  readonly task: { readonly id: string };
  /** The same, for what publishes: it waits for nothing that only looks. */
  readonly "publish-task": { readonly id: string };
  /** Caches have let go of what a change took away: the domains can be judged. */
  readonly "wait-for-caches": { readonly domains: readonly DomainName[] };
  /** So many rounds in a row have not arrived. */
  readonly "alert-round": { readonly channel: string; readonly failures?: number };
  readonly "alert-delivery": { readonly channel: string; readonly message: AlertMessage };
  /** For that time of the week, as the settings name it: "08:00 Europe/Berlin". */
  readonly "weekly-digest": { readonly time: string };
  /** Something that all domains share has changed. */
  readonly "look-at-all": Record<string, never>;
}
export type JobKind = keyof JobPayloads;
