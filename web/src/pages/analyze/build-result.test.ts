import { describe, expect, it } from "vitest";
import type { Analysis, EvidenceItem, Incident } from "../../api/types";
import { translator } from "../../i18n/testing";
import { buildEvidence, buildMeta, strongestEvidence } from "./build-result";

const t = translator("ko");

const items: EvidenceItem[] = [
  { n: 1, source: "metric", field: "used_memory", value: 52430000, threshold: 52428800, supports: "oom-noeviction" },
  { n: 2, source: "config", field: "maxmemory_policy", value: "noeviction", supports: "oom-noeviction" },
  { n: 3, source: "metric", field: "mem_fragmentation_ratio", value: 1.9, supports: "fragmentation-high" },
  { n: 4, source: "log", text: "OOM command not allowed", line: 7, at: "03:14:43", supports: "oom-noeviction" },
  { n: 5, source: "metric", field: "errorstat_OOM", value: "count=12", supports: "oom-noeviction" },
];

describe("evidence", () => {
  it("is reduced to the three strongest of the verdict", () => {
    const incident = { failure_mode: "oom-noeviction", evidence: items } as Incident;
    expect(strongestEvidence(incident).map((item) => item.n)).toEqual([1, 2, 4]);
  });

  it("counts the values of one condition as one piece", () => {
    const condition = "used_memory / maxmemory >= 97%";
    const evidence: EvidenceItem[] = [
      { n: 1, source: "metric", field: "used_memory", value: 1, threshold: condition },
      { n: 2, source: "metric", field: "maxmemory", value: 1, threshold: condition },
      { n: 3, source: "metric", field: "errorstat_OOM", value: 9, threshold: 0 },
    ];
    expect(strongestEvidence({ failure_mode: "x", evidence } as Incident).map((item) => item.n)).toEqual([1, 3]);
    expect(buildEvidence(evidence, "ko", t).map((row) => row.note)).toEqual([`조건 ${condition}`, `조건 ${condition}`, "기준 0"]);
  });

  it("falls back to what there is when none names the verdict", () => {
    const incident = { failure_mode: "none", evidence: items.slice(2, 3) } as Incident;
    expect(strongestEvidence(incident)).toHaveLength(1);
  });

  it("reads as field, value and threshold, or as the quoted line", () => {
    const rows = buildEvidence(items, "ko", t);
    expect(rows[0]).toEqual({ n: 1, source: "metric", name: "used_memory", text: "52,430,000 (50.0 MB)", note: "기준 52,428,800 (50.0 MB)" });
    expect(rows[1]?.text).toBe("noeviction");
    expect(rows[3]).toMatchObject({ name: null, text: "OOM command not allowed", note: "7번째 줄 · 03:14:43" });
  });
});

describe("the facts beside a verdict", () => {
  const analysis = {
    created_at: "2026-11-22T03:00:01Z", started_at: "22 Nov 2026 03:11", impact: { writes: "yes", reads: "no", data_at_risk: "unknown" },
    context: { version: "7.0.15", role: "master", managed: null, topology: null }, engine: { llm: null }, instance: null,
  } as unknown as Analysis;

  it("say the impact in words, and keep a log's own way of writing time", () => {
    const value = new Map(buildMeta(analysis, null, t).map((row) => [row.label, row.value]));
    expect(value.get("쓰기")).toBe("영향 있음");
    expect(value.get("읽기")).toBe("영향 없음");
    expect(value.get("데이터 위험")).toBe("알 수 없음");
    expect(value.get("시작")).toBe("22 Nov 2026 03:11");
    expect(value.has("끝")).toBe(false);
    expect(value.get("설명")).toBe("규칙과 검색");
  });
});
