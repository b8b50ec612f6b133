// One live line over time, by uPlot. Silence is a hole with a shaded ground, thresholds are dashed lines.
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Plot } from "../lib/series";
import { buildAxisValues, gapsOf, type Threshold } from "../lib/chart";
import styles from "./chart.module.css";

export interface ChartProps {
  plot: Plot;
  from: number; // seconds, left edge
  to: number;
  max: number | null; // upper end of the axis; null: from the data
  thresholds: readonly Threshold[];
  label: string; // what a screen reader says instead
  empty: string | null; // why there is no line
  format: (value: number) => string;
  onHover: (point: { at: number; value: number | null } | null) => void;
}

export function Chart(props: ChartProps) {
  const { plot, from, to, label, empty } = props;
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef(props);
  const scheme = useComputedColorScheme("light");

  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(options(element, latest), [latest.current.plot.x, latest.current.plot.y], element);
    chart.current = made;
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: element.clientHeight }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [scheme]);

  useEffect(() => {
    const made = chart.current;
    if (!made) return;
    made.batch(() => {
      made.setData([plot.x, plot.y], false);
      made.setScale("x", { min: from, max: to });
    });
  }, [plot, from, to, scheme]);

  return (
    <div className={styles.chart}>
      <div ref={host} className={styles.plot} role="img" aria-label={empty === null ? label : `${label} ${empty}`} />
      {empty !== null && <p className={styles.empty}>{empty}</p>}
    </div>
  );
}

function options(element: HTMLElement, latest: { current: ChartProps }): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(`--rd-${name}`).trim();
  const font = `11px ${style.getPropertyValue("--rd-sans")}`;
  const axis: uPlot.Axis = {
    stroke: color("muted"),
    font,
    grid: { stroke: color("line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "monitor" }, drag: { x: false, y: false }, points: { size: 7 }, y: false },
    scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, latest.current.max ?? niceTop(max)] } },
    axes: [
      { ...axis, size: 24, gap: 4, grid: { show: false }, values: (_u, splits) => buildAxisValues(splits) },
      { ...axis, size: 44, gap: 6, incrs: wholeSteps, values: (_u, splits) => splits.map((v) => latest.current.format(v)), space: 34 },
    ],
    series: [
      {},
      { stroke: color("accent"), width: 1.75, fill: `${color("accent")}1f`, points: { size: 4, fill: color("accent") }, spanGaps: false },
    ],
    hooks: {
      drawClear: [(u) => shadeGaps(u, color("sunken"))],
      draw: [(u) => drawThresholds(u, latest.current.thresholds, { warning: color("medium"), critical: color("critical") })],
      setCursor: [
        (u) => {
          const { idx } = u.cursor;
          const at = idx == null ? undefined : u.data[0][idx];
          latest.current.onHover(at === undefined || idx == null ? null : { at: at * 1000, value: u.data[1]?.[idx] ?? null });
        },
      ],
    },
  };
}

// 1, 2, 5, 10, …: nothing here comes in halves.
const wholeSteps = Array.from({ length: 30 }, (_, i) => (([1, 2, 5] as const)[(i % 3) as 0 | 1 | 2]) * 10 ** Math.floor(i / 3));

function niceTop(max: number | null): number {
  if (max == null || max <= 0) return 1;
  const padded = max * 1.15;
  const unit = 10 ** Math.floor(Math.log10(padded));
  return Math.ceil(Math.ceil(padded / (unit / 2)) * (unit / 2));
}

function shadeGaps(u: uPlot, fill: string): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.fillStyle = fill;
  for (const [from, to] of gapsOf([...u.data[0]], [...(u.data[1] ?? [])])) {
    const left = Math.max(u.valToPos(from, "x", true), bbox.left);
    const right = Math.min(u.valToPos(to, "x", true), bbox.left + bbox.width);
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

function drawThresholds(u: uPlot, thresholds: readonly Threshold[], colors: Record<Threshold["severity"], string>): void {
  const { ctx, bbox } = u;
  const top = u.scales.y?.max ?? 0;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const { value, severity } of thresholds) {
    if (value > top) continue;
    const y = Math.round(u.valToPos(value, "y", true));
    ctx.strokeStyle = colors[severity];
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}
