/** News that is still to be told, as an interface: each channel has its own copy, and lets it go by itself. */
import type { News } from "./alert.ts";

/** Every method is durable when it resolves, and has changed all or nothing. */
export interface AlertStore {
  /** What stood under the key, and is in no batch of the channel, is replaced; no news takes it away. */
  put(channel: string, key: string, news: readonly News[], at: Date): Promise<void>;
  /**
   * What of the channel is in no batch and was put before that moment becomes part of this one, at most so many keys,
   * the oldest first. What was put so long ago that its batch must have been given up is in none any more, and what is
   * older still goes. A batch that is there already is given back as it is.
   */
  collect(channel: string, batch: string, which: Collected): Promise<readonly News[]>;
  /** The batch is forgotten. True where more waits for the channel. */
  finish(channel: string, batch: string): Promise<boolean>;
  /** The batch is given up: what was in it waits again, but where something newer waits under its key. */
  release(channel: string, batch: string): Promise<void>;
}

export interface Collected {
  readonly limit: number;
  readonly putBefore: Date;
  readonly givenUpBefore: Date;
  readonly forgottenBefore: Date;
}
