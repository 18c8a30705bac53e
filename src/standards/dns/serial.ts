/** Serial numbers of zones: numbers of 32 bits that go in circles (RFC 1982). */

const CIRCLE = 2 ** 32;
const HALF = 2 ** 31;

/** RFC 1982 §3.2. Of two that are exactly half a circle apart, neither is. */
export function isLaterSerial(serial: number, than: number): boolean {
  const ahead = (((serial - than) % CIRCLE) + CIRCLE) % CIRCLE;
  return ahead > 0 && ahead < HALF;
}

/**
 * The serial after this one, in the way that it is kept: YYYYMMDDnn (RFC 1912 §2.2) becomes today's, or one more where
 * today's is not later; any other number becomes one more. `today` is YYYYMMDD, "20261121".
 */
export function nextSerial(current: number, today: string): number {
  const next = (current + 1) % CIRCLE || 1; // servers take 0 for "no serial"
  if (!isDated(current)) return next;
  const first = Number(`${today}01`);
  return first < CIRCLE && isLaterSerial(first, current) ? first : next;
}

function isDated(serial: number): boolean {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})\d{2}$/.exec(String(serial)) ?? [];
  if (year === undefined || Number(year) < 1980) return false;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day);
}
