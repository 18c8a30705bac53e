import type { Migration } from "./migration.ts";

/** How many domains there are of each rank: to count a hundred thousand rows for each look takes too long. */
export const counts: Migration = ({ integer, strict, forEachRow }) => {
  const add = (change: string, rank: string) =>
    `UPDATE domain_count SET domains = domains + ${change} WHERE worst = ${rank};`;
  const isBetter = "OLD.worst < NEW.worst";
  return [
    `CREATE TABLE domain_count (
    worst ${integer} NOT NULL PRIMARY KEY,
    domains ${integer} NOT NULL
  ) ${strict}`,
    ...[0, 1, 2, 3, 4, 5].map(
      (rank) => `INSERT INTO domain_count SELECT ${rank}, count(*) FROM domain_state WHERE worst = ${rank}`,
    ),
    ...forEachRow("domain_count_added", "AFTER INSERT ON domain_state", "", add("1", "NEW.worst")),
    ...forEachRow("domain_count_gone", "AFTER DELETE ON domain_state", "", add("-1", "OLD.worst")),
    // The lower rank first, whoever changes: two that come at the same time do not wait for each other.
    ...forEachRow(
      "domain_count_moved",
      "AFTER UPDATE OF worst ON domain_state",
      "WHEN (OLD.worst <> NEW.worst)",
      [
        add(
          `CASE WHEN ${isBetter} THEN -1 ELSE 1 END`,
          `CASE WHEN ${isBetter} THEN OLD.worst ELSE NEW.worst END`,
        ),
        add(
          `CASE WHEN ${isBetter} THEN 1 ELSE -1 END`,
          `CASE WHEN ${isBetter} THEN NEW.worst ELSE OLD.worst END`,
        ),
      ].join("\n"),
    ),
  ];
};
