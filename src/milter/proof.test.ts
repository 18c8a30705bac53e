/** The judging: every word that a mechanism can say has its weight, its reason and its way out. */
import { describe, expect, it } from "vitest";
import { TableResolver } from "../../test/support/table-resolver.ts";
