import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { isLaterSerial, nextSerial } from "./serial.ts";

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe("isLaterSerial", () => {
  it.each<[serial: number, than: number, later: boolean, reason: string]>([
    [2, 1, true, "one more"],
    [1, 1, false, "the same"],
    [1, 2, false, "one less"],
    [0, 2 ** 32 - 1, true, "round the circle"],
    [2 ** 31, 1, true, "just less than half a circle"],
    [2 ** 31 + 1, 1, false, "half a circle: undefined"],
    [1, 2 ** 31 + 1, false, "from the other side too"],
    [2 ** 31 + 2, 1, false, "more than half"],
  ])("%i after %i: %s (%s)", (serial, than, later) => {
    expect(isLaterSerial(serial, than)).toBe(later);
  });

  it("never holds both ways", () => {
    fc.assert(fc.property(uint32, uint32, (a, b) => !(isLaterSerial(a, b) && isLaterSerial(b, a))));
  });
});

describe("nextSerial", () => {
  it.each<[current: number, next: number, reason: string]>([
    [1, 2, "counted"],
    [2026112001, 2026112101, "dated yesterday"],
    [2019010199, 2026112101, "dated long ago"],
    [2026112101, 2026112102, "today already"],
    [2026112199, 2026112200, "a hundred times today: runs ahead by a day"],
    [2026112205, 2026112206, "ahead of today"],
    [1795000000, 1795000001, "seconds since 1970 are no date"],
    [2026134501, 2026134502, "no such month"],
    [2026022901, 2026022902, "no such day"],
    [2 ** 32 - 1, 1, "round the circle, and past 0"],
    [4100010101, 4100010102, "more than half a circle ahead: never back"],
  ])("%i → %i (%s)", (current, next) => {
    expect(nextSerial(current, "20261121")).toBe(next);
  });

  it("is always later", () => {
    fc.assert(fc.property(uint32, (current) => isLaterSerial(nextSerial(current, "20261121"), current)));
  });
});
