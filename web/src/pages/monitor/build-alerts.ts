// Alerts in the order in which they matter, each with its sentence of when and how much.
import type { TFunction } from "i18next";
import type { Alert } from "../../api/types";
import type { Lang } from "../../i18n/lang";
import { formatCount, formatMoment } from "../../lib/format";

export interface AlertRow {
  alert: Alert;
  message: string;
  when: string;
  value: string;
  active: boolean;
  canAck: boolean;
  silenced: string; // until when; empty when it is not
}

export function buildAlertRows(alerts: readonly Alert[], now: number, lang: Lang, t: TFunction): AlertRow[] {
  return [...alerts].sort(byWeight).map((alert) => ({
    alert,
    message: alert.messages?.[lang] ?? alert.message,
    when: alert.resolved_at
      ? t("alert.until", { time: formatMoment(alert.resolved_at, now) })
      : t("alert.since", { time: formatMoment(alert.started_at, now) }),
    value:
      alert.value === null || alert.threshold === null
        ? ""
        : t("alert.value", { value: formatCount(alert.value, lang), threshold: formatCount(alert.threshold, lang) }),
    active: isActive(alert),
    canAck: alert.state === "firing",
    silenced: alert.silenced && alert.silenced_until && isActive(alert) ? t("silence.badge", { time: formatMoment(alert.silenced_until, now) }) : "",
  }));
}

export function countActive(alerts: readonly Alert[]): number {
  return alerts.filter(isActive).length;
}

function isActive(alert: Alert): boolean {
  return alert.state === "firing" || alert.state === "acknowledged";
}

// Firing critical, firing warning, acknowledged or silenced, pending, then what is over; newest first within each.
function byWeight(a: Alert, b: Alert): number {
  return weight(b) - weight(a) || Date.parse(b.started_at) - Date.parse(a.started_at);
}

function weight(alert: Alert): number {
  switch (alert.state) {
    case "firing":
      if (alert.silenced) return 2;
      return alert.severity === "critical" ? 4 : 3;
    case "acknowledged":
      return 2;
    case "pending":
      return 1;
    case "resolved":
      return 0;
  }
}
