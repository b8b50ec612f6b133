import { describe, expect, it } from "vitest";
import { appendSample, buildPlot, emptyTable, gapLimitMs, summarize, windowOf, type SeriesTable } from "./series";

function table(points: [number, number | null][]): SeriesTable {
  return points.reduce((t, [at, value]) => appendSample(t, { at, memory_usage_percent: value }, 1e9), emptyTable());
}

describe("live samples", () => {
  it("keeps only the window", () => {
    const t = appendSample(table([[1000, 1], [2000, 2], [3000, 3]]), { at: 4000, memory_usage_percent: 4 }, 1500);
    expect(t.at).toEqual([3000, 4000]);
    expect(t.values.memory_usage_percent).toEqual([3, 4]);
  });

  it("drops a sample that was already drawn", () => {
    const t = table([[1000, 1], [2000, 2]]);
    expect(appendSample(t, { at: 2000, memory_usage_percent: 9 }, 1e9)).toBe(t);
  });

  it("has null where a metric is missing", () => {
    const t = table([[1000, 1]]);
    expect(t.values.hit_rate).toEqual([null]);
  });
});

describe("plots", () => {
  it("breaks the line where polls were missed", () => {
    const plot = buildPlot(table([[1000, 1], [2000, 2], [60000, 3]]), "memory_usage_percent", 5000);
    expect(plot.x).toEqual([1, 2, 2.001, 60]);
    expect(plot.y).toEqual([1, 2, null, 3]);
  });

  it("does not break where the server answered in time", () => {
    const plot = buildPlot(table([[1000, 1], [2000, 2], [3000, 3]]), "memory_usage_percent", 5000);
    expect(plot.y).toEqual([1, 2, 3]);
  });

  it("takes a thinned history's own step for silence", () => {
    expect(gapLimitMs(table([[0, 1], [60000, 1], [120000, 1]]), 5)).toBe(180000);
    expect(gapLimitMs(table([[0, 1], [5000, 1], [10000, 1]]), 5)).toBe(15000);
    expect(gapLimitMs(emptyTable(), 5)).toBe(15000);
  });

  it("span the range, or only what there is to see", () => {
    const now = 3_600_000;
    expect(windowOf(table([[0, 1]]), 900_000, now)).toEqual({ from: now - 900_000, to: now });
    expect(windowOf(table([[now - 300_000, 1]]), 900_000, now).from).toBe(now - 300_000);
    expect(windowOf(emptyTable(), 900_000, now).from).toBe(now - 120_000);
  });

  it("is summed up by last, least and most, and by nothing when nothing was seen", () => {
    expect(summarize([null, 3, 1, 2, null])).toEqual({ last: 2, min: 1, max: 3 });
    expect(summarize([null])).toBeNull();
  });
});
