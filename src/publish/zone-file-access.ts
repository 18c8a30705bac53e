/** One zone file as its provider needs it: an interface, so that net/ touches the disk. Never rejects. */

export interface ZoneFileAccess {
  /** For people: where it is. */
  readonly path: string;
  read(): Promise<ZoneFileReading>;
  /**
   * Puts a new text in the file's place, all of it or nothing, but only where it still has the text that was read
   * (undefined: where there is none), and where the check has nothing against it.
   */
  replace(expected: string | undefined, text: string): Promise<ZoneFileReplacing>;
}

export type ZoneFileReading =
  | { readonly status: "read"; readonly text: string }
  | { readonly status: "absent" }
  /** There is a journal beside it: a server writes this file itself (BIND with dynamic updates or signing). */
  | { readonly status: "dynamic"; readonly journal: string }
  | { readonly status: "failed"; readonly detail: string; readonly isForbidden: boolean };

export type ZoneFileReplacing =
  | { readonly status: "replaced" }
  /** It is in place, and the name server was not told, or did not want it: in the words of the program. */
  | { readonly status: "not-loaded"; readonly detail: string }
  /** It is another by now. */
  | { readonly status: "changed" }
  /** In the words of the check. */
  | { readonly status: "rejected"; readonly detail: string }
  | { readonly status: "failed"; readonly detail: string; readonly isForbidden: boolean };
