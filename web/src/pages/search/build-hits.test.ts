import { describe, expect, it } from "vitest";
import type { SearchHit } from "../../api/types";
import { buildHits } from "./build-hits";

const hit = (id: string, score: number): SearchHit => ({ id, title: id, category: "memory", severity: "high", score, why: "" });

describe("search hits", () => {
  it("are measured against the best one and keep their order", () => {
    expect(buildHits([hit("a", 0.8), hit("b", 0.2)]).map((row) => [row.hit.id, row.share])).toEqual([["a", 1], ["b", 0.25]]);
  });

  it("have no length when nothing scored", () => {
    expect(buildHits([hit("a", 0), hit("b", -1)]).map((row) => row.share)).toEqual([0, 0]);
    expect(buildHits([])).toEqual([]);
  });
});
