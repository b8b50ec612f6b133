// Pure parts of drawing a chart.

export interface Threshold {
  value: number;
  severity: "warning" | "critical";
}

// Spans [from, to] in which nothing was seen: between the last point before a run of nulls and the first after.
export function gapsOf(x: readonly number[], y: readonly (number | null | undefined)[]): [number, number][] {
  const gaps: [number, number][] = [];
  let before: number | null = null;
  let open = false;
  x.forEach((at, i) => {
    if (y[i] == null) {
      open = true;
      return;
    }
    if (open && before !== null) gaps.push([before, at]);
    open = false;
    before = at;
  });
  return gaps;
}

// Clock times for the axis: seconds only where the ticks are closer than a minute.
export function buildAxisValues(splits: readonly number[]): string[] {
  const step = (splits[1] ?? 60) - (splits[0] ?? 0);
  return splits.map((seconds) => {
    const date = new Date(seconds * 1000);
    const two = (value: number) => String(value).padStart(2, "0");
    const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
    return step < 60 ? `${minutes}:${two(date.getSeconds())}` : minutes;
  });
}
