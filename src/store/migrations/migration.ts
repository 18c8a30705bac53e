/** Steps from one layout of the tables to the next. What has once been released is never edited. */

/** The words in which the databases differ. */
export interface ColumnWords {
  /** Compared octet by octet in both. */
  readonly text: string;
  readonly integer: string;
  /** A primary key that counts by itself, and never counts a number twice. */
  readonly counted: string;
  /** At the end of a table of small rows, which lie in the order of its primary key. */
  readonly strict: string;
  /** At the end of a table of large rows, or of one that counts. */
  readonly strictRows: string;
  /** What happens with each row that an event changes, in the same transaction. */
  readonly forEachRow: (
    name: string,
    event: string,
    condition: string,
    statements: string,
  ) => readonly string[];
}

/** Its statements, in order; they are run in one transaction. */
export type Migration = (words: ColumnWords) => readonly string[];

export const SQLITE_WORDS: ColumnWords = {
  text: "TEXT",
  integer: "INTEGER",
  counted: "INTEGER PRIMARY KEY AUTOINCREMENT",
  strict: "STRICT, WITHOUT ROWID",
  strictRows: "STRICT",
  forEachRow: (name, event, condition, statements) => [
    `CREATE TRIGGER ${name} ${event} FOR EACH ROW ${condition} BEGIN ${statements} END`,
  ],
};

export const POSTGRES_WORDS: ColumnWords = {
  text: 'TEXT COLLATE "C"',
  integer: "BIGINT",
  counted: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
  strict: "",
  strictRows: "",
  forEachRow: (name, event, condition, statements) => [
    `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${statements} RETURN NULL; END $$`,
    `CREATE TRIGGER ${name} ${event} FOR EACH ROW ${condition} EXECUTE FUNCTION ${name}()`,
  ],
};
