import { describe, expect, it } from "vitest";
import type { Alert, Instance, Sample, ThresholdRule } from "../../api/types";
import { translator } from "../../i18n/testing";
import { appendSample, emptyTable } from "../../lib/series";
import { buildAlertRows } from "./build-alerts";
import { buildCharts, type ChartCard } from "./build-charts";
import { buildFacts } from "./build-facts";
import { rule } from "./testing";

const t = translator("ko");

const instance: Instance = {
  id: "i", name: "orders", host: "127.0.0.1", port: 6379, tls: false, state: "connected", running: true, interval: 5, error: null,
  last_sample_at: null, test_faults: false, demo: false, alerts: { warning: 0, critical: 0, silenced: 0 },
};

function sample(change: Partial<Sample> = {}): Sample {
  return {
    instance: "i", at: "2026-01-01T00:00:00Z", at_ms: 1000, reachable: true, error: null, used_memory: 43_000_000, maxmemory: 52_428_800,
    evicted_keys: 0, connected_clients: 12, blocked_clients: 0, rejected_connections: 0, instantaneous_ops_per_sec: 100, keyspace_hits: 9,
    keyspace_misses: 1, connected_slaves: 0, uptime_in_seconds: 3700, cluster_enabled: 0, memory_usage_percent: 82, mem_fragmentation_ratio: 1.1,
    hit_rate: 90, used_memory_human: "41M", maxmemory_human: "50M", rdb_last_bgsave_status: "ok", aof_last_bgrewrite_status: "ok",
    role: "master", master_link_status: null, redis_version: "7.0.15", maxmemory_policy: "noeviction", maxclients: 10000, ...change,
  };
}

const rules = [
  rule({ rule: "memory_usage" }, { format: "percent", threshold: 80 }, { severity: "critical", format: "percent", threshold: 90 }),
  rule({ rule: "connected_clients" }, { threshold: 1000 }, { name: "warning_percent", format: "percent", threshold: 80 }),
];

function charts(given: { instance?: Partial<Instance>; sample?: Sample | undefined; drawn?: boolean; rules?: ThresholdRule[] }): Map<string, ChartCard> {
  const s = given.sample;
  const table = given.drawn && s ? appendSample(emptyTable(), { ...s, at: s.at_ms }, 1e9) : emptyTable();
  const cards = buildCharts({ table, sample: s, instance: { ...instance, ...given.instance }, range: "m15", lang: "ko", rules: given.rules ?? rules }, t);
  return new Map(cards.map((card) => [card.metric, card]));
}

describe("chart cards", () => {
  it("show the value now, how much of how much, and the lines that page", () => {
    const memory = charts({ sample: sample(), drawn: true }).get("memory_usage_percent");
    expect(memory).toMatchObject({ title: "메모리 사용률", now: "82.0 %", detail: "41.0 MB / 50.0 MB", empty: null, max: 100 });
    expect(memory?.thresholds.map((line) => line.value)).toEqual([80, 90]);
    expect(memory?.label).toBe("메모리 사용률, 최근 15분: 지금 82.0 %, 최소 82.0 %, 최대 82.0 %");
  });

  it("do not show paging lines for a cache that evicts", () => {
    expect(charts({ sample: sample({ maxmemory_policy: "allkeys-lru" }) }).get("memory_usage_percent")?.thresholds).toEqual([]);
  });

  it("draw the lines of this server's own thresholds, whichever comes first", () => {
    const lines = (change: Partial<Sample>) => charts({ sample: sample(change) }).get("connected_clients")?.thresholds;
    expect(lines({ maxclients: 10_000 })).toEqual([{ value: 1000, severity: "warning" }]);
    expect(lines({ maxclients: 100 })).toEqual([{ value: 80, severity: "warning" }]);
    const mine = [rule({ rule: "memory_usage" }, { threshold: 60, default_threshold: 80 })];
    expect(charts({ sample: sample(), rules: mine }).get("memory_usage_percent")?.thresholds).toEqual([{ value: 60, severity: "warning" }]);
    const off = [rule({ rule: "memory_usage", enabled: false }, { threshold: 80 })];
    expect(charts({ sample: sample(), rules: off }).get("memory_usage_percent")?.thresholds).toEqual([]);
  });

  it("say what is missing when there is no line", () => {
    const why = (given: Parameters<typeof charts>[0], metric = "memory_usage_percent") => charts(given).get(metric)?.empty;
    expect(why({ instance: { running: false, state: "idle" } })).toContain("수집이 멈춰");
    expect(why({})).toContain("첫 표본");
    expect(why({ instance: { state: "unreachable" } })).toContain("응답하지 않아");
    expect(why({ sample: sample({ maxmemory: 0, memory_usage_percent: null }) })).toContain("maxmemory가 0");
    expect(why({ sample: sample({ hit_rate: null }) }, "hit_rate")).toContain("조회 명령이 없어");
    expect(why({ sample: sample({ instantaneous_ops_per_sec: null }) }, "instantaneous_ops_per_sec")).toContain("instantaneous_ops_per_sec");
  });

  it("show no value of a server that does not answer", () => {
    expect(charts({ sample: sample({ reachable: false }), drawn: true }).get("connected_clients")?.now).toBe("–");
  });
});

describe("facts", () => {
  const value = (list: { label: string; value: string; tone?: string }[], label: string) => list.find((fact) => fact.label === label);

  it("name the role and leave out what the server does not tell", () => {
    const facts = buildFacts(sample({ aof_last_bgrewrite_status: null }), "ko", t);
    expect(value(facts.server, "역할")?.value).toBe("마스터(primary)");
    expect(value(facts.server, "마스터와의 연결")).toBeUndefined();
    expect(value(facts.persistence, "마지막 AOF 재작성")).toBeUndefined();
  });

  it("mark what is broken", () => {
    const facts = buildFacts(sample({ rdb_last_bgsave_status: "err", role: "slave", master_link_status: "down" }), "ko", t);
    expect(value(facts.persistence, "마지막 RDB 저장")).toMatchObject({ value: "실패", tone: "bad" });
    expect(value(facts.server, "마스터와의 연결")).toMatchObject({ value: "끊김", tone: "bad" });
    expect(value(facts.server, "복제본")).toBeUndefined();
  });
});

describe("alert rows", () => {
  const alert = (id: string, change: Partial<Alert>): Alert => ({
    id, instance: "i", rule: "r", severity: "warning", state: "firing", metric: "m", value: 1, threshold: 1, message: id,
    started_at: "2026-01-01T00:00:00Z", resolved_at: null, acked_at: null, ...change,
  });

  it("stand in the order in which they matter", () => {
    const rows = buildAlertRows(
      [
        alert("over", { state: "resolved", resolved_at: "2026-01-01T01:00:00Z" }),
        alert("old", {}),
        alert("new", { started_at: "2026-01-02T00:00:00Z" }),
        alert("seen", { state: "acknowledged", severity: "critical" }),
        alert("quiet", { severity: "critical", silenced: true, silenced_until: "2026-01-03T01:00:00Z" }),
        alert("worst", { severity: "critical" }),
      ],
      Date.parse("2026-01-03T00:00:00Z"),
      "ko",
      t,
    );
    expect(rows.map((row) => row.alert.id)).toEqual(["worst", "new", "old", "seen", "quiet", "over"]);
    expect(rows.map((row) => row.canAck)).toEqual([true, true, true, false, true, false]);
    expect(rows.map((row) => row.silenced !== "")).toEqual([false, false, false, false, true, false]);
  });

  it("speak the page's language, not that of the request that fetched them", () => {
    const [row] = buildAlertRows([alert("a", { message: "메모리", messages: { ko: "메모리", en: "memory" } })], 0, "en", translator("en"));
    expect(row?.message).toBe("memory");
  });
});
