// What people paste as metrics: a JSON object, raw INFO text, or lines of name=value.

export type MetricValues = Record<string, string | number>;
export type MetricsInput = { ok: true; metrics: MetricValues; fields: number } | { ok: false; line: number };

export function parseMetricsInput(text: string): MetricsInput {
  const trimmed = text.trim();
  if (trimmed === "") return { ok: true, metrics: {}, fields: 0 };
  return trimmed.startsWith("{") ? parseJsonMetrics(trimmed) : parseLines(trimmed);
}

function parseJsonMetrics(text: string): MetricsInput {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, line: 1 };
  }
  const metrics: MetricValues = {};
  for (const [field, entry] of Object.entries(value as object)) {
    if (typeof entry === "number" || typeof entry === "string") metrics[field] = entry;
    else if (typeof entry === "boolean") metrics[field] = entry ? 1 : 0;
    else if (entry !== null) metrics[field] = JSON.stringify(entry);
  }
  return { ok: true, metrics, fields: Object.keys(metrics).length };
}

function parseLines(text: string): MetricsInput {
  const metrics: MetricValues = {};
  const lines = text.split(/\r?\n/);
  for (const [i, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = /^([A-Za-z0-9_.-]+)\s*[:=]\s*(.*)$/.exec(line);
    if (!match?.[1]) return { ok: false, line: i + 1 };
    metrics[match[1]] = toValue(match[2] ?? "");
  }
  return { ok: true, metrics, fields: Object.keys(metrics).length };
}

function toValue(text: string): string | number {
  return /^-?\d+(\.\d+)?$/.test(text) && text.length < 16 ? Number(text) : text;
}
