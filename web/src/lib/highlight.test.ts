import { describe, expect, it } from "vitest";
import { foldLines, markLines } from "./highlight";

const log = ["start", "OOM command not allowed", "ok", "bye"].join("\r\n");

describe("evidence in the log", () => {
  it("stands on the line that the evidence names", () => {
    expect(markLines(log, [{ n: 2, line: 3 }]).map((l) => l.marks)).toEqual([[], [], [2], []]);
  });

  it("is found by its words when it names no line", () => {
    expect(markLines(log, [{ n: 1, text: " OOM command " }])[1]?.marks).toEqual([1]);
  });

  it("may share a line", () => {
    expect(markLines(log, [{ n: 1, line: 2 }, { n: 2, line: 2 }])[1]?.marks).toEqual([1, 2]);
  });

  it("is ignored when it points outside", () => {
    expect(markLines(log, [{ n: 1, line: 99 }, { n: 2, text: "absent" }]).every((l) => l.marks.length === 0)).toBe(true);
  });
});

describe("a long log", () => {
  const long = Array.from({ length: 100 }, (_, i) => `line ${i + 1}`).join("\n");

  it("folds to its evidence and the lines around", () => {
    const rows = foldLines(markLines(long, [{ n: 1, line: 50 }]), 1, 20);
    expect(rows.map((r) => (r.kind === "line" ? r.line.no : `${r.from}+${r.count}`))).toEqual(["1+48", 49, 50, 51, "52+49"]);
  });

  it("shows its beginning when nothing is marked", () => {
    const rows = foldLines(markLines(long, []), 1, 20);
    expect(rows).toHaveLength(21);
    expect(rows.at(-1)).toEqual({ kind: "hidden", from: 21, count: 80 });
  });

  it("stays whole when it is short", () => {
    expect(foldLines(markLines(log, []), 1, 20)).toHaveLength(4);
  });
});
