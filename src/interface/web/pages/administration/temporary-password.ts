/** Neither 0 and o nor 1 and l: it may be read aloud. 32 of them, so that each octet gives one without a bias. */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
const GROUPS = 5;
const GROUP_LETTERS = 4;

/** 100 bits of chance: "k7fm-q2xw-…". */
export function temporaryPassword(): string {
  const octets = crypto.getRandomValues(new Uint8Array(GROUPS * GROUP_LETTERS));
  const letters = [...octets].map((octet) => LETTERS[octet % LETTERS.length]).join("");
  return Array.from({ length: GROUPS }, (_, at) =>
    letters.slice(at * GROUP_LETTERS, (at + 1) * GROUP_LETTERS),
  ).join("-");
}
