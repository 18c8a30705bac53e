/** What goes wrong in a database, in plain sentences: where, what, what to do. No password is ever among them. */

/**
 * `resealed` all lies under another seal key than this process's · `busy` another is writing, try again · `full` writes are refused, reads go on · `newer` the layout is of a newer
 * version · `damaged` · `refused` rights, or a password · `gone` the server does not answer; the next call connects
 * anew · `other`
 */
export type TroubleKind = "resealed" | "busy" | "full" | "newer" | "damaged" | "refused" | "gone" | "other";

export class StoreTrouble extends Error {
  readonly kind: TroubleKind;

  constructor(kind: TroubleKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreTrouble";
    this.kind = kind;
  }
}

/** The error of a driver as trouble at a place; what is no driver's error stays as it is. */
export type Tell = (error: unknown) => unknown;

/** Every method of a store, with its errors told. */
export function telling<T extends object>(store: T, tell: Tell): T {
  const entries = Object.entries(store).map(([name, method]) => [
    name,
    async (...words: unknown[]) => {
      try {
        return await (method as (...words: unknown[]) => unknown)(...words);
      } catch (error) {
        throw tell(error);
      }
    },
  ]);
  return Object.fromEntries(entries) as T;
}

/** https://www.sqlite.org/rescode.html, without the extension in the upper octets. */
const SQLITE = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};

export function tellSqlite(path: string): Tell {
  return (error) => {
    const { errcode, message } = error as { readonly errcode?: unknown; readonly message?: unknown };
    if (error instanceof StoreTrouble || typeof errcode !== "number") return error;
    const trouble = (kind: TroubleKind, text: string) =>
      new StoreTrouble(kind, `${path}: ${text}`, { cause: error });
    switch (errcode & 0xff) {
      case SQLITE.busy:
      case SQLITE.locked:
        return trouble("busy", "another program keeps it locked; nothing was changed, try again");
      case SQLITE.full:
        return trouble("full", "the disk is full; nothing was changed. Make room; reading goes on");
      case SQLITE.io:
        return trouble(
          "full",
          `it cannot be written or read (${message}); look after the disk, its room and quotas`,
        );
      case SQLITE.readOnly:
        return trouble("refused", "it may not be written; look at its rights and those of its directory");
      case SQLITE.cannotOpen:
        return trouble("refused", "it cannot be opened; look at its rights and those of its directory");
      case SQLITE.corrupt:
      case SQLITE.notADatabase:
        return trouble(
          "damaged",
          "it is damaged, or no store of zonepost; bring it back with zonepost restore",
        );
      default:
        return trouble("other", String(message));
    }
  };
}

/** Errors of the connection itself, as Node and pg name them. */
const GONE = /^(?:ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT)/;
const GONE_WORDS =
  /Connection terminated|connection timeout|timeout exceeded when trying to connect|Query read timeout|not queryable/i;

/** https://www.postgresql.org/docs/15/errcodes-appendix.html */
export function tellPostgres(place: string): Tell {
  return (error) => {
    if (error instanceof StoreTrouble || !(error instanceof Error)) return error;
    const { code: given, message } = error as { readonly code?: unknown; readonly message: string };
    const code = typeof given === "string" ? given : "";
    const trouble = (kind: TroubleKind, text: string) =>
      new StoreTrouble(kind, `${place}: ${text}`, { cause: error });
    if (GONE.test(code) || GONE_WORDS.test(message))
      return trouble(
        "gone",
        `the server does not answer (${code || message}); it is tried again at the next call`,
      );
    if (!/^[0-9A-Z]{5}$/.test(code)) return error;
    if (/^(?:08|57P)/.test(code))
      return trouble("gone", `the server is not there (${message}); it is tried again at the next call`);
    if (code === "53100")
      return trouble("full", "the server's disk is full; nothing was changed. Make room; reading goes on");
    if (code === "53300")
      return trouble("busy", "the server takes no more connections; raise max_connections, or try again");
    if (/^(?:55P03|40001|40P01|57014)$/.test(code))
      return trouble(
        "busy",
        `it took too long, or others were in the way (${message}); nothing was changed, try again`,
      );
    if (/^28/.test(code))
      return trouble("refused", `the server refuses the user or the password (${message})`);
    if (code === "3D000")
      return trouble("refused", `there is no such database (${message}); make it with createdb`);
    if (/^(?:42501|25006)$/.test(code)) return trouble("refused", `the user may not do this (${message})`);
    if (/^XX00/.test(code)) return trouble("damaged", `the database is damaged (${message})`);
    return trouble("other", message);
  };
}
