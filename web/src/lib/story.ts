// SC-001 on the demo server: memory fills, an alert warns, turns critical, writes are refused, the diagnosis follows.
import type { Alert, Fault } from "../api/types";

export const storySteps = ["starting", "filling", "warning", "critical", "refused", "analyzing"] as const;
export type StoryStep = (typeof storySteps)[number];

export interface StoryView {
  alerts: readonly Alert[];
  faults: readonly Fault[];
  beganAt: number; // milliseconds; older alerts belong to an earlier run
}

// What the story waits for now. "analyzing": everything that was to happen has happened.
export function storyStep({ alerts, faults, beganAt }: StoryView): StoryStep {
  const fill = faults.find((fault) => fault.kind === "fill-memory" && Date.parse(fault.started_at) >= beganAt);
  const memory = alerts.filter((a) => isMemory(a) && isActive(a) && Date.parse(a.started_at) >= beganAt);
  const critical = memory.some((a) => a.severity === "critical");
  if (critical && (fill === undefined || fill.state !== "running" || fill.error_type !== null)) return "analyzing";
  if (critical) return "refused";
  if (memory.length > 0) return "critical";
  return fill === undefined || (fill.progress ?? 0) < 0.5 ? "filling" : "warning";
}

// Rules of one cause share an alert: what began as memory usage may by now name the refused writes.
function isMemory(alert: Alert): boolean {
  return alert.group === "memory" || alert.rule.includes("memory");
}

function isActive(alert: Alert): boolean {
  return alert.state === "firing" || alert.state === "acknowledged";
}
