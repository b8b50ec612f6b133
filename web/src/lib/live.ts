// How pushed events change what was fetched. Pure: old state + event → new state.
import type { Alert, Fault, FaultPanel, InstanceEvent, StatusReply } from "../api/types";

const kKeptAlerts = 50;

export function mergeInstance(old: StatusReply | undefined, event: InstanceEvent): StatusReply | undefined {
  if (!old) return old;
  const others = old.instances.filter((instance) => instance.id !== event.instance);
  const { status } = event;
  if (event.change === "disconnected" || !status) {
    return { ...old, instances: others, default: old.default === event.instance ? (others[0]?.id ?? null) : old.default };
  }
  const known = old.instances.some((instance) => instance.id === event.instance);
  const instances = known ? old.instances.map((i) => (i.id === event.instance ? status : i)) : [...others, status];
  return { ...old, instances, default: old.default ?? event.instance };
}

// Newest first; an alert that changes keeps its place.
export function mergeAlert(old: { alerts: Alert[] } | undefined, alert: Alert): { alerts: Alert[] } | undefined {
  if (!old) return old;
  const known = old.alerts.some((other) => other.id === alert.id);
  const alerts = known ? old.alerts.map((other) => (other.id === alert.id ? alert : other)) : [alert, ...old.alerts];
  return { alerts: alerts.slice(0, kKeptAlerts) };
}

export function mergeFault(old: FaultPanel | undefined, fault: Fault): FaultPanel | undefined {
  if (!old) return old;
  const same = (other: Fault) => other.kind === fault.kind && other.started_at === fault.started_at;
  return { ...old, faults: [fault, ...old.faults.filter((other) => !same(other))] };
}
