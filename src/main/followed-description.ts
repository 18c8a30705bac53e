/** A description file that the server follows: brought into the store at its start, and at each reload. */
import { randomBytes } from "node:crypto";
import { auditEntry } from "../access/audit.ts";
import type { DescribedFile } from "../interface/cli/tools.ts";
import type { PublishEntry } from "../records/publish-settings.ts";
import type { OpenedStore } from "../store/open.ts";
import { takeInFile } from "../watch/described-file.ts";
import { lookAtAll } from "../watch/look-again.ts";

export interface FollowedDescription {
  readonly publishEntries: () => readonly PublishEntry[];
  readonly takeIn: (file: DescribedFile | undefined, signal?: AbortSignal) => Promise<TakenIn>;
}

export interface TakenIn {
  /** What was taken over. */
  readonly sentences: readonly string[];
  /** Why it ended in the middle. */
  readonly failure?: Error;
}

export function followDescription(
  { descriptions, watch, access }: Pick<OpenedStore, "descriptions" | "watch" | "access">,
  checksPerSecond: number,
): FollowedDescription {
  let entries: readonly PublishEntry[] = [];
  /** What all share was taken over, and not all were asked to be looked at since. */
  let owesLook = false;
  return {
    publishEntries: () => entries,
    /** Rejects where nothing was taken over. */
    async takeIn(file, signal) {
      if (file === undefined) return { sentences: [] };
      const now = new Date();
      const { isCommonNew, added, changed, gone, failure } = await takeInFile(
        file.pieces,
        descriptions,
        watch,
        now,
        {
          ...(file.allowedRemoved !== undefined && { allowedRemoved: file.allowedRemoved }),
          ...(signal && { signal }),
        },
      );
      owesLook ||= isCommonNew;
      const counts = { added: added.length, changed: changed.length, gone: gone.length };
      const isAnyNew = isCommonNew || added.length + changed.length + gone.length > 0;
      if (failure !== undefined && !isAnyNew) throw failure;
      const servers = isCommonNew ? ", what all share has changed" : "";
      const sentences = [
        `${file.name}: ${counts.added} domains new, ${counts.changed} changed, ${counts.gone} gone${servers}`,
      ];
      const note = async () => {
        if (!isAnyNew) return;
        const what = { actor: "system", address: undefined, action: "description.take", target: file.name };
        await access.audit(auditEntry({ ...what, details: counts }, now, (count) => randomBytes(count)));
      };
      if (failure !== undefined) {
        // What kept the rest out may keep this out too.
        await note().catch(() => undefined);
        return { sentences, failure };
      }
      try {
        entries = file.pieces.description.publish;
        if (owesLook) await lookAtAll(watch, now, checksPerSecond);
        owesLook = false;
        await note();
        return { sentences };
      } catch (error) {
        return { sentences, failure: error as Error };
      }
    },
  };
}
