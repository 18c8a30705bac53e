/** What the states of a key mean for what is shown. */
import type { Key } from "../../api/keys.ts";
import type { SeverityOrNone } from "../../parts/severity.tsx";

/** On its way to sign. */
export const isWaiting = ({ state }: Pick<Key, "state">): boolean =>
  ["prepared", "published", "proven"].includes(state);

const SHAPES: Readonly<Record<string, SeverityOrNone>> = {
  prepared: "warning",
  published: "notice",
  proven: "notice",
  signing: "ok",
};

export const shapeOf = ({ state }: Pick<Key, "state">): SeverityOrNone => SHAPES[state] ?? "unchecked";
