/** Every migration, in order: the layout's number is how many there are. */
import { keysAndPublishing } from "./0001-keys-and-publishing.ts";
import { tlsaSightings } from "./0002-tlsa-sightings.ts";
import { descriptions } from "./0003-descriptions.ts";
import { watch } from "./0004-watch.ts";
import { access } from "./0005-access.ts";
import { jobs } from "./0006-jobs.ts";
import { providers } from "./0007-providers.ts";
import { counts } from "./0008-counts.ts";
import { past } from "./0009-past.ts";
import { applyHolder } from "./0010-apply-holder.ts";
import { sweptAndFound } from "./0011-swept-and-found.ts";
import { sealKeyKnown } from "./0012-seal-key.ts";
import { recoveries } from "./0013-recoveries.ts";
import type { ColumnWords, Migration } from "./migration.ts";

const MIGRATIONS: readonly Migration[] = [
  keysAndPublishing,
  tlsaSightings,
  descriptions,
  watch,
  access,
  jobs,
  providers,
  counts,
  past,
  applyHolder,
  sweptAndFound,
  sealKeyKnown,
  recoveries,
];

export const LATEST_LAYOUT = MIGRATIONS.length;

/** What leads from a layout to the latest; 0 is an empty database. */
export const statementsFrom = (layout: number, words: ColumnWords): readonly string[] =>
  MIGRATIONS.slice(layout).flatMap((migration) => migration(words));
