import { expect, it } from "vitest";
import type { HistoryEvent } from "../../api/domains.ts";
import type { Severity } from "../../parts/severity.tsx";
import { overTime } from "./over-time.ts";

let id = 100;
const event = (at: string, kind: HistoryEvent["kind"], code: string, severity: Severity): HistoryEvent => ({
  id: id--,
  domain: "example.org",
  at,
  kind,
  code,
  owner: "example.org",
  severity,
  observed: "",
});
const finding = (code: string, severity: Severity) => ({ code, owner: "example.org", severity });

it.each<[events: HistoryEvent[], now: [string, Severity][], counts: string[], reason: string]>([
  [[], [["a", "error"]], ["now 1 0 0"], "without events only now is known"],
  [[event("t1", "appeared", "a", "error")], [["a", "error"]], ["t1 1 0 0", "now 1 0 0"], "from when it came"],
  [
    [event("t2", "gone", "a", "error"), event("t1", "appeared", "a", "error")],
    [],
    ["t1 1 0 0", "t2 0 0 0", "now 0 0 0"],
    "until when it went",
  ],
  [
    [event("t2", "changed", "a", "warning"), event("t1", "appeared", "a", "error")],
    [["a", "warning"]],
    ["t1 1 0 0", "t2 0 1 0", "now 0 1 0"],
    "as bad as it was said to be before",
  ],
  [
    [event("t1", "appeared", "a", "error"), event("t1", "appeared", "b", "unknown")],
    [
      ["a", "error"],
      ["b", "unknown"],
    ],
    ["t1 1 0 1", "now 1 0 1"],
    "one check is one moment",
  ],
  [
    [event("t2", "acknowledged", "a", "error"), event("t1", "appeared", "a", "error")],
    [["a", "error"]],
    ["t1 1 0 0", "t2 1 0 0", "now 1 0 0"],
    "what is put aside is still there",
  ],
])("%#: %j %j → %j (%s)", (events, now, counts) => {
  const moments = overTime(
    events,
    now.map(([code, severity]) => finding(code, severity)),
    "now",
  );
  expect(moments.map(({ at, error, warning, unknown }) => `${at} ${error} ${warning} ${unknown}`)).toEqual(
    counts,
  );
});
