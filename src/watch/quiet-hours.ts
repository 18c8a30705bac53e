/** Hours in which nobody is to be woken, in a time zone of people. */

export interface QuietHours {
  /** "22:00"; where it is later than `until`, the hours go over midnight. */
  readonly from: string;
  readonly until: string;
  /** "Europe/Berlin" */
  readonly timeZone: string;
}

const MINUTE = 60_000;
const DAY_MINUTES = 1440;

/** `now`, or the end of the quiet hours that it lies in. */
export function whenLoud(now: Date, quiet: QuietHours | undefined): Date {
  if (quiet === undefined || !isQuiet(now, quiet)) return now;
  // Minute by minute where clocks change; an hour that does not exist is then no trouble.
  const start = Math.ceil(now.getTime() / MINUTE);
  for (let minute = start; minute <= start + DAY_MINUTES + 120; minute++) {
    const at = new Date(minute * MINUTE);
    if (!isQuiet(at, quiet)) return at;
  }
  return now;
}

function isQuiet(at: Date, { from, until, timeZone }: QuietHours): boolean {
  const time = localTime(at, timeZone);
  return from < until ? time >= from && time < until : time >= from || time < until;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** "07:30" */
function localTime(at: Date, timeZone: string): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    formats.set(timeZone, format);
  }
  return format.format(at);
}

/** The next moment after `now` at which a week's digest goes out: Monday at that time of day, of people there. */
export function nextDigest(now: Date, time: string, timeZone: string): Date {
  const weekday = new Intl.DateTimeFormat("en-GB", { timeZone, weekday: "short" });
  const isMonday = (at: number) => weekday.format(at) === "Mon";
  const isHere = (at: number) => isMonday(at) && localTime(new Date(at), timeZone) >= time;
  const hour = 60 * MINUTE;
  let at = Math.floor(now.getTime() / MINUTE) * MINUTE;
  // Out of the Monday whose digest has gone out, hour by hour to the next, then to the minute.
  while (isHere(at)) at += hour;
  while (!isMonday(at)) at += hour;
  while (!isHere(at)) at += MINUTE;
  while (isHere(at - MINUTE) && at - MINUTE > now.getTime()) at -= MINUTE;
  return new Date(at);
}
