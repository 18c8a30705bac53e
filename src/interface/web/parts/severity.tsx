/** How bad it is: a word, a shape and a colour, so that none of them has to be seen. */
import { useTexts } from "../texts/texts.tsx";

/** Worst first, as everywhere; `unknown` is "could not tell". */
export const SEVERITIES = ["error", "unknown", "warning", "notice", "ok"] as const;
export type Severity = (typeof SEVERITIES)[number];
/** Also of what was never looked at. */
export type SeverityOrNone = Severity | "unchecked";

const SHAPES: Readonly<Record<SeverityOrNone, { readonly outline: string; readonly sign: string }>> = {
  error: { outline: "M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z", sign: "M5.5 5.5l5 5M10.5 5.5l-5 5" },
  unknown: {
    outline: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z",
    sign: "M6 6.4a2 2 0 1 1 2.9 1.8c-.6.3-.9.6-.9 1.2M8 11.6v.1",
  },
  warning: { outline: "M8 1.2 15.4 14.4H.6z", sign: "M8 6v3.6M8 12v.1" },
  notice: {
    outline:
      "M2.5 1h11A1.5 1.5 0 0 1 15 2.5v11a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 1 13.5v-11A1.5 1.5 0 0 1 2.5 1z",
    sign: "M8 7.5v4M8 4.5v.1",
  },
  ok: { outline: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z", sign: "M4.8 8.3l2.2 2.2 4.3-4.7" },
  unchecked: { outline: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z", sign: "M5.5 8h5" },
};

export function SeverityShape({ severity }: { readonly severity: SeverityOrNone }) {
  const { outline, sign } = SHAPES[severity];
  return (
    <svg className={`shape shape-${severity}`} viewBox="0 0 16 16" aria-hidden="true">
      <path className="shape-outline" d={outline} />
      <path className="shape-sign" d={sign} />
    </svg>
  );
}

/** `count` in place of the word: "3 errors". */
export function SeverityBadge({
  severity,
  count,
}: {
  readonly severity: SeverityOrNone;
  readonly count?: number;
}) {
  const { severity: t } = useTexts();
  return (
    <span className={`badge badge-${severity}`}>
      <SeverityShape severity={severity} />
      {count === undefined ? t.name[severity] : t.count[severity](count)}
    </span>
  );
}

export const worstOf = (severities: readonly Severity[]): Severity | undefined =>
  SEVERITIES.find((each) => severities.includes(each));
