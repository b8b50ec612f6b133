import { describe, expect, it } from "vitest";
import type { Alert, Silence } from "../../api/types";
import { translator } from "../../i18n/testing";
import { buildSilenceNews, buildSilenceRows, silencesFor } from "./build-silences";
import { buildThresholdRows, countChanged, formatThreshold, formOf, labelOf, numberOf, settingOf } from "./build-thresholds";
import { rule } from "./testing";

const t = translator("ko");

describe("threshold rows", () => {
  const texts = (limits: readonly { text: string }[] | undefined) => limits?.map((limit) => limit.text);

  it("show the default beside what applies, and mark what differs", () => {
    const memory = rule(
      { changed: true },
      { format: "percent", threshold: 70, default_threshold: 80, hold_s: 30 },
      { severity: "critical", format: "percent", threshold: 90, hold_s: 30 },
    );
    const [row] = buildThresholdRows([memory], "ko", t);
    expect(texts(row?.defaults)).toEqual(["경고 80 %", "위험 90 %"]);
    expect(texts(row?.yours)).toEqual(["경고 70 %", "위험 90 %", "30초 지속 시"]);
    expect(row?.yours.map((limit) => limit.changed)).toEqual([true, false, true]);
    expect(countChanged([memory, rule({}, {})])).toBe(1);
  });

  it("name the metric where severity and unit do not tell two conditions apart", () => {
    const link = rule({}, { metric: "link", threshold: 30, format: "seconds" }, { name: "warning_in_sync", metric: "link_in_sync", threshold: 600, format: "seconds" });
    const clients = rule({}, { metric: "clients", threshold: 1000 }, { name: "warning_percent", metric: "share", threshold: 80, format: "percent" });
    const rows = buildThresholdRows([link, clients], "en", translator("en"));
    expect(texts(rows[0]?.defaults)).toEqual(["Warning (link) 30 s", "Warning (link_in_sync) 600 s"]);
    expect(texts(rows[1]?.defaults)).toEqual(["Warning 1,000", "Warning 80 %"]);
    expect(clients.conditions.map((condition) => labelOf(condition, clients, t))).toEqual(["경고 (clients)", "경고 (share)"]);
  });

  it("say that a rule is off, that a condition has no number, and that holds differ", () => {
    expect(texts(buildThresholdRows([rule({ enabled: false, changed: true }, {})], "ko", t)[0]?.yours)).toEqual(["사용 안 함"]);
    const state = rule({}, { settable: false, format: "state", severity: "critical" });
    expect(texts(buildThresholdRows([state], "ko", t)[0]?.defaults)).toEqual(["감지되면 위험"]);
    const holds = rule({ changed: true }, { default_hold_s: 10, hold_s: 0 }, { severity: "critical", default_hold_s: 60, hold_s: 0 });
    const [row] = buildThresholdRows([holds], "ko", t);
    expect(row?.defaults.at(-1)?.text).toBe("10–60초 지속 시");
    expect(row?.yours.at(-1)).toMatchObject({ text: "지속 시간 없이 즉시", changed: true });
  });

  it("write each unit as people do", () => {
    const write = (format: Parameters<typeof formatThreshold>[1]) => formatThreshold(1_048_576, format, "ko");
    expect([write("bytes"), write("per_second"), write("seconds"), write("ms"), write("count")]).toEqual([
      "1.00 MB", "1,048,576/초", "1,048,576초", "1,048,576 ms", "1,048,576",
    ]);
    expect(formatThreshold(1.5, "ratio", "en")).toBe("1.5");
  });
});

describe("the form of a rule", () => {
  const memory = rule(
    { changed: true },
    { threshold: 70, default_threshold: 80, hold_s: 30 },
    { severity: "critical", threshold: 90, hold_s: 30 },
    { name: "state", settable: false },
  );

  it("is empty where the default applies, and comes back as what is set", () => {
    expect(formOf(memory)).toEqual({ values: { warning: 70, critical: null }, hold: 30, enabled: true });
    expect(settingOf(formOf(memory))).toEqual({ warning: 70, hold_s: 30 });
  });

  it("becomes null when nothing differs, so that the rule counts as unchanged", () => {
    expect(settingOf({ values: { warning: null }, hold: null, enabled: true })).toBeNull();
    expect(settingOf({ values: { warning: null }, hold: 0, enabled: false })).toEqual({ hold_s: 0, enabled: false });
  });
});

describe("a number that is being typed", () => {
  it("counts once it is one", () => {
    expect([numberOf("1."), numberOf("2.0"), numberOf(3), numberOf("9007199254740993")]).toEqual([1, 2, 3, 9007199254740992]);
    expect([numberOf(""), numberOf(null), numberOf("-"), numberOf(" ")]).toEqual([null, null, null, null]);
    expect(settingOf({ values: { warning: "2.0", critical: "" }, hold: "", enabled: true })).toEqual({ warning: 2 });
  });
});

describe("silences", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const silence = (change: Partial<Silence>): Silence => ({
    id: "si", instance: "i", rule: "memory_usage", title: "메모리 사용률", comment: "", created_at: "2026-01-01T00:00:00Z", until: "2026-01-01T01:00:00Z", ...change,
  });

  it("say what is quiet, where, until when and why", () => {
    const rows = buildSilenceRows([silence({ comment: "배포" }), silence({ instance: null, rule: null, title: null }), silence({ rule: "memory", title: null })], now, t);
    expect(rows.map((row) => row.title)).toEqual(["메모리 사용률", "모든 경보", "memory"]);
    expect(rows[0]?.detail).toMatch(/까지 · 배포$/);
    expect(rows[1]?.detail).toMatch(/^모든 서버 · /);
  });

  it("cover every rule that the alert names, once", () => {
    const finding = (name: string) => ({ rule: name, severity: "critical" as const, metric: "m", value: 1, threshold: 1, message: "" });
    const alert: Alert = {
      id: "a", instance: "i", rule: "memory_usage", severity: "critical", state: "firing", metric: "m", value: 1, threshold: 1, message: "",
      started_at: "2026-01-01T00:00:00Z", resolved_at: null, acked_at: null, findings: [finding("memory_usage"), finding("writes_refused_oom")],
    };
    expect(silencesFor(alert, "h4")).toEqual([
      { instance: "i", rule: "memory_usage", duration_s: 14_400 },
      { instance: "i", rule: "writes_refused_oom", duration_s: 14_400 },
    ]);
  });
});

describe("the news of silences", () => {
  const silence: Silence = { id: "si_1", instance: null, rule: null, title: null, comment: "", created_at: "2026-11-22T00:00:00.000Z", until: "2026-11-22T01:00:00.000Z" };
  const now = Date.parse(silence.created_at);
  const idle = { submittedAt: 0, isSuccess: false, error: null };
  const added = { submittedAt: 10, isSuccess: true, error: null, data: [silence] };

  it("are those of the later command", () => {
    expect(buildSilenceNews(idle, idle, now, t)).toEqual({ error: null, message: "" });
    const first = buildSilenceNews(added, idle, now, t).message;
    expect(first).not.toBe("");
    const ended = buildSilenceNews(added, { ...idle, submittedAt: 20, isSuccess: true }, now, t).message;
    expect(ended).toBe(t("silence.ended"));
    expect(buildSilenceNews({ ...added, submittedAt: 30 }, { ...idle, submittedAt: 20, isSuccess: true }, now, t).message).toBe(first);
  });

  it("let an old error go", () => {
    const failed = { ...idle, submittedAt: 10, error: new Error("no") };
    expect(buildSilenceNews(failed, idle, now, t).error).toBe(failed.error);
    expect(buildSilenceNews(failed, { ...idle, submittedAt: 20, isSuccess: true }, now, t)).toEqual({ error: null, message: t("silence.ended") });
    expect(buildSilenceNews(failed, { ...idle, submittedAt: 20 }, now, t)).toEqual({ error: null, message: "" });
  });
});
