/** A process that nobody else is beside: whoever held something before is gone. */
import type { Holders } from "../../src/publish/apply.ts";

export const ALONE: Holders = { own: "this process", isGone: () => true };
