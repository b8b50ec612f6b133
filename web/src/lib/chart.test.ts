import { describe, expect, it } from "vitest";
import { buildAxisValues, gapsOf } from "./chart";

describe("gaps", () => {
  it("span from the last point seen to the next one", () => {
    expect(gapsOf([1, 2, 3, 4, 5], [1, null, null, 2, 3])).toEqual([[1, 4]]);
  });

  it("are not drawn before the first point or after the last", () => {
    expect(gapsOf([1, 2, 3], [null, 1, null])).toEqual([]);
  });
});

describe("axis times", () => {
  it("show seconds only where they matter", () => {
    const noon = new Date(2026, 0, 1, 12, 0, 0).getTime() / 1000;
    expect(buildAxisValues([noon, noon + 30])).toEqual(["12:00:00", "12:00:30"]);
    expect(buildAxisValues([noon, noon + 300])).toEqual(["12:00", "12:05"]);
  });
});
