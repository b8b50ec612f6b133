// Time series as the charts need them: one time axis, one column per metric, null where nothing was seen.

export const chartMetrics = ["memory_usage_percent", "connected_clients", "instantaneous_ops_per_sec", "hit_rate"] as const;
export type ChartMetric = (typeof chartMetrics)[number];

export interface SeriesTable {
  at: number[]; // milliseconds, rising
  values: Record<ChartMetric, (number | null)[]>;
}

export type SamplePoint = { at: number } & Partial<Record<ChartMetric, number | null>>;

export function emptyTable(): SeriesTable {
  return { at: [], values: { memory_usage_percent: [], connected_clients: [], instantaneous_ops_per_sec: [], hit_rate: [] } };
}

// Adds a live sample. A sample not newer than the last is dropped (the stream repeats after a reconnect); points older
// than `windowMs` before the new one leave.
export function appendSample(table: SeriesTable, sample: SamplePoint, windowMs: number): SeriesTable {
  const last = table.at.at(-1);
  if (last !== undefined && sample.at <= last) return table;
  const first = table.at.findIndex((at) => at >= sample.at - windowMs);
  const from = first === -1 ? table.at.length : first;
  const values = emptyTable().values;
  for (const metric of chartMetrics) {
    values[metric] = [...table.values[metric].slice(from), finite(sample[metric])];
  }
  return { at: [...table.at.slice(from), sample.at], values };
}

export interface Plot {
  x: number[]; // seconds, as uPlot wants them
  y: (number | null)[];
}

// The points of one metric, with a null after every silence longer than `gapMs`, so that the line breaks there
// instead of bridging what nobody saw.
export function buildPlot(table: SeriesTable, metric: ChartMetric, gapMs: number): Plot {
  const plot: Plot = { x: [], y: [] };
  table.at.forEach((at, i) => {
    const before = table.at[i - 1];
    if (before !== undefined && at - before > gapMs) {
      plot.x.push((before + 1) / 1000);
      plot.y.push(null);
    }
    plot.x.push(at / 1000);
    plot.y.push(table.values[metric][i] ?? null);
  });
  return plot;
}

// What counts as silence: three missed polls, or the step of a thinned history if that is longer.
export function gapLimitMs(table: SeriesTable, intervalSeconds: number): number {
  const steps: number[] = [];
  for (let i = 1; i < table.at.length; i += 1) steps.push((table.at[i] ?? 0) - (table.at[i - 1] ?? 0));
  steps.sort((a, b) => a - b);
  const median = steps[Math.floor(steps.length / 2)] ?? 0;
  return Math.max(intervalSeconds * 1000, median) * 3;
}

const kLeastWindowMs = 120_000;

// The span to draw: the chosen range, or less while there is less to see.
export function windowOf(table: SeriesTable, rangeMs: number, now: number): { from: number; to: number } {
  const first = table.at[0] ?? now;
  const seen = Math.max(now - first, kLeastWindowMs);
  return { from: now - Math.min(rangeMs, seen), to: now };
}

export interface PlotSummary {
  last: number;
  min: number;
  max: number;
}

export function summarize(y: readonly (number | null)[]): PlotSummary | null {
  const seen = y.filter((v): v is number => v !== null);
  const last = seen.at(-1);
  if (last === undefined) return null;
  return { last, min: Math.min(...seen), max: Math.max(...seen) };
}

function finite(value: number | null | undefined): number | null {
  return value == null || !Number.isFinite(value) ? null : value;
}
