/** A moment in the reader's own time zone: how long ago, and when exactly. */
import { useSyncExternalStore } from "react";
import { useTexts } from "../texts/texts.tsx";

const TICK_MILLISECONDS = 30_000;
let tick = Date.now();

function watch(watcher: () => void): () => void {
  // Nothing has moved it while no moment was shown.
  if (Date.now() - tick >= TICK_MILLISECONDS) tick = Date.now();
  const timer = window.setInterval(() => {
    tick = Date.now();
    watcher();
  }, TICK_MILLISECONDS);
  return () => window.clearInterval(timer);
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** "3 minutes ago", "in 2 days"; "now" within a minute. */
export function relativeTime(at: Date, now: Date, language: string): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", Number.NaN];
  return unit === "second" ? format.format(0, "second") : format.format(Math.trunc(seconds / size), unit);
}

export function exactTime(at: Date, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(at);
}

interface WhenProps {
  /** As the API writes it. */
  readonly at: string;
  readonly show?: "relative" | "exact" | "both";
}

export function When({ at, show = "relative" }: WhenProps) {
  const { language } = useTexts();
  const now = useSyncExternalStore(watch, () => tick);
  const date = new Date(at);
  const exact = exactTime(date, language);
  const relative = relativeTime(date, new Date(now), language);
  const text = { relative, exact, both: `${exact} (${relative})` }[show];
  return (
    <time dateTime={at} {...(show === "relative" && { title: exact })}>
      {text}
    </time>
  );
}
