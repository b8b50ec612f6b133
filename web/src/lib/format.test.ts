import { describe, expect, it } from "vitest";
import { formatAgo, formatBytes, formatCount, formatDuration, formatMoment, formatPercent, formatTime } from "./format";

describe("numbers", () => {
  it("show sizes in binary units with three digits", () => {
    expect(formatBytes(52428800)).toBe("50.0 MB");
    expect(formatBytes(1023)).toBe("1023 B");
    expect(formatBytes(1536)).toBe("1.50 KB");
    expect(formatBytes(null)).toBe("–");
  });

  it("show counts in the reader's grouping", () => {
    expect(formatCount(12345.6, "ko")).toBe("12,346");
    expect(formatCount(1.234, "en")).toBe("1.23");
    expect(formatCount(undefined, "ko")).toBe("–");
  });

  it("never round up to a hundred percent", () => {
    expect(formatPercent(99.9)).toBe("99.9 %");
    expect(formatPercent(100)).toBe("100 %");
    expect(formatPercent(0)).toBe("0 %");
  });
});

describe("times", () => {
  it("carry their zone", () => {
    expect(formatTime("2026-11-22T05:03:07Z", "Asia/Seoul")).toBe("2026-11-22 14:03:07 GMT+9");
    expect(formatTime(0, "UTC")).toBe("1970-01-01 00:00:00 UTC");
    expect(formatTime("nonsense")).toBe("–");
  });

  it("drop the date when it is today's", () => {
    const now = Date.parse("2026-11-22T14:00:00Z");
    expect(formatMoment("2026-11-22T05:03:07Z", now, "Asia/Seoul")).toBe("14:03:07 GMT+9");
    expect(formatMoment("2026-11-20T05:03:07Z", now, "Asia/Seoul")).toBe("2026-11-20 14:03:07 GMT+9");
  });

  it("are told relative to now", () => {
    expect(formatAgo(0, 5 * 60_000, "ko")).toBe("5분 전");
    expect(formatAgo(0, 5 * 60_000, "en")).toBe("5 minutes ago");
  });

  it("show durations by their two largest units", () => {
    expect(formatDuration(93784, "ko")).toBe("1일 2시간");
    expect(formatDuration(65, "en")).toBe("1m 5s");
  });
});
