/** The curve; who does not see it has the table beside it. */
import { FixedScaleAxis, Interpolation, LineChart, Svg } from "chartist";
import { useEffect, useRef } from "react";
import { useTexts } from "../../texts/texts.tsx";
import type { Moment } from "./over-time.ts";

const SERIES = ["error", "unknown", "warning"] as const;
const TICKS = 4;

// The library writes style attributes as text, which the server's policy forbids; as properties they are allowed.
const setAttributes = Svg.prototype.attr as (this: Svg, attributes: unknown, namespace?: string) => never;
Svg.prototype.attr = function attr(this: Svg, given: unknown, namespace?: string) {
  if (typeof given !== "object" || given === null || !("style" in given))
    return setAttributes.call(this, given, namespace);
  const { style, ...rest } = given;
  (this.getNode() as SVGElement).style.cssText = String(style);
  return setAttributes.call(this, rest, namespace);
} as typeof Svg.prototype.attr;

export function HistoryChart({ moments }: { readonly moments: readonly Moment[] }) {
  const { history: t, language } = useTexts();
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const days = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
    const hours = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
    const times = moments.map(({ at }) => Date.parse(at));
    const isShort = times.at(-1)! - times[0]! < 2 * 86_400_000;
    const highest = Math.max(
      1,
      ...moments.flatMap(({ error, unknown, warning }) => [error, unknown, warning]),
    );
    const chart = new LineChart(
      ref.current,
      {
        series: SERIES.map((name) => ({
          name,
          className: `line-${name}`,
          data: moments.map((moment, at) => ({ x: times[at]!, y: moment[name] })),
        })),
      },
      {
        height: "180px",
        fullWidth: true,
        showPoint: false,
        lineSmooth: Interpolation.step({ postpone: true }),
        chartPadding: { right: 24, top: 12 },
        axisX: {
          type: FixedScaleAxis,
          divisor: TICKS,
          labelInterpolationFnc: (value: number | string) => (isShort ? hours : days).format(Number(value)),
        },
        axisY: {
          type: FixedScaleAxis,
          low: 0,
          high: highest,
          ticks: [0, Math.ceil(highest / 2), highest].filter((tick, at, all) => all.indexOf(tick) === at),
        },
      },
    );
    return () => void chart.detach();
  }, [moments, language]);
  return (
    <>
      <div ref={ref} className="chart" aria-hidden="true" />
      <ul className="legend" aria-hidden="true">
        {SERIES.map((name) => (
          <li key={name} className={`legend-${name}`}>
            <svg viewBox="0 0 28 6" aria-hidden="true">
              <path d="M0 3h28" />
            </svg>
            {t.columns[name]}
          </li>
        ))}
      </ul>
    </>
  );
}
