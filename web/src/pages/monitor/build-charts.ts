// What the four live charts show: title, value now, detail, and, where there is no line, what is missing.
import type { TFunction } from "i18next";
import type { Instance, Sample, ThresholdRule } from "../../api/types";
import type { Lang } from "../../i18n/lang";
import type { Threshold } from "../../lib/chart";
import { formatBytes, formatCount, formatPercent } from "../../lib/format";
import { buildPlot, chartMetrics, gapLimitMs, summarize, type ChartMetric, type Plot, type SeriesTable } from "../../lib/series";
import { thresholdOf } from "./build-thresholds";

export const ranges = { m5: 5, m15: 15, h1: 60, h6: 360, h24: 1440 } as const; // minutes
export type Range = keyof typeof ranges;

export function isRange(value: string | null): value is Range {
  return value !== null && value in ranges;
}

export interface ChartCard {
  metric: ChartMetric;
  title: string;
  now: string;
  detail: string;
  plot: Plot;
  max: number | null;
  thresholds: Threshold[];
  label: string;
  empty: string | null;
}

export interface ChartInput {
  table: SeriesTable;
  sample: Sample | undefined;
  instance: Instance;
  range: Range;
  lang: Lang;
  rules: readonly ThresholdRule[];
}

export function buildCharts(input: ChartInput, t: TFunction): ChartCard[] {
  const gapMs = gapLimitMs(input.table, input.instance.interval);
  return chartMetrics.map((metric) => {
    const plot = buildPlot(input.table, metric, gapMs);
    const summary = summarize(plot.y);
    const title = t(`monitor.chart.${metric}`);
    const format = formatOf(metric, input.lang);
    const reachable = input.sample?.reachable ?? false;
    const range = t(`monitor.ranges.${input.range}`);
    return {
      metric,
      title,
      now: format(reachable ? (input.sample?.[metric] ?? null) : null),
      detail: reachable && input.sample ? detailOf(metric, input.sample, input.lang, t) : "",
      plot,
      max: isPercent(metric) ? 100 : null,
      thresholds: thresholdsOf(metric, input.sample, input.rules),
      label: summary
        ? t("monitor.chart.label", { title, range, last: format(summary.last), min: format(summary.min), max: format(summary.max) })
        : title,
      empty: summary ? null : whyEmpty(metric, input.instance, input.sample, t),
    };
  });
}

export function formatOf(metric: ChartMetric, lang: Lang): (value: number | null) => string {
  return isPercent(metric) ? formatPercent : (value) => formatCount(value, lang);
}

function isPercent(metric: ChartMetric): boolean {
  return metric === "memory_usage_percent" || metric === "hit_rate";
}

function detailOf(metric: ChartMetric, s: Sample, lang: Lang, t: TFunction): string {
  const count = (value: number | null | undefined) => formatCount(value, lang);
  switch (metric) {
    case "memory_usage_percent":
      return s.maxmemory
        ? t("monitor.chart.ofMax", { used: formatBytes(s.used_memory), max: formatBytes(s.maxmemory) })
        : t("monitor.chart.noMax", { used: formatBytes(s.used_memory) });
    case "connected_clients": {
      const limit = s.maxclients ? t("monitor.chart.ofMaxClients", { max: count(s.maxclients) }) : "";
      const blocked = s.blocked_clients ? t("monitor.chart.blocked", { value: count(s.blocked_clients) }) : "";
      return [limit, blocked].filter(Boolean).join(" · ");
    }
    case "instantaneous_ops_per_sec":
      return s.ping_ms == null ? "" : `PING ${count(s.ping_ms)} ms`;
    case "hit_rate":
      return t("monitor.chart.hits", { hits: count(s.keyspace_hits), misses: count(s.keyspace_misses) });
  }
}

// The lines that the rules page at, where they apply to this server.
function thresholdsOf(metric: ChartMetric, s: Sample | undefined, rules: readonly ThresholdRule[]): Threshold[] {
  const lines: Threshold[] = [];
  for (const severity of ["warning", "critical"] as const) {
    const value = lineOf(metric, severity, s, rules);
    if (value !== null) lines.push({ value, severity });
  }
  return lines;
}

function lineOf(metric: ChartMetric, severity: Threshold["severity"], s: Sample | undefined, rules: readonly ThresholdRule[]): number | null {
  if (metric === "memory_usage_percent" && s?.maxmemory && s.maxmemory_policy === "noeviction") {
    return thresholdOf(rules, "memory_usage", severity);
  }
  if (metric !== "connected_clients") return null;
  // A number and a share of maxclients: whichever comes first.
  const count = thresholdOf(rules, "connected_clients", severity);
  const percent = thresholdOf(rules, "connected_clients", `${severity}_percent`);
  const share = percent !== null && s?.maxclients ? (s.maxclients * percent) / 100 : null;
  return count !== null && share !== null ? Math.min(count, share) : (count ?? share);
}

function whyEmpty(metric: ChartMetric, instance: Instance, s: Sample | undefined, t: TFunction): string {
  if (instance.state === "unreachable") return t("monitor.empty.unreachable");
  if (!instance.running) return t("monitor.empty.stopped");
  if (!s || !s.reachable) return t("monitor.empty.waiting");
  if (metric === "memory_usage_percent" && s.maxmemory === 0) return t("monitor.empty.noMaxmemory");
  if (metric === "hit_rate" && s.keyspace_hits != null) return t("monitor.empty.noLookups");
  if (s[metric] == null) return t("monitor.empty.absent", { field: metric });
  return t("monitor.empty.waiting");
}
