// Silences as the alert panel shows and asks for them. All pure.
import type { TFunction } from "i18next";
import type { Alert, Silence, SilenceRequest } from "../../api/types";
import { formatMoment } from "../../lib/format";

export const silenceHours = { h1: 1, h4: 4, h24: 24 } as const;
export type SilenceLength = keyof typeof silenceHours;

export interface SilenceRow {
  silence: Silence;
  title: string;
  detail: string; // whose, until when, why
}

export function buildSilenceRows(silences: readonly Silence[], now: number, t: TFunction): SilenceRow[] {
  return silences.map((silence) => ({
    silence,
    title: silence.title ?? silence.rule ?? t("silence.allRules"),
    detail: [silence.instance === null ? t("silence.allServers") : "", t("silence.until", { time: formatMoment(silence.until, now) }), silence.comment]
      .filter(Boolean)
      .join(" · "),
  }));
}

// One per rule that the alert names now: a new fault of the same group is still heard.
export function silencesFor(alert: Alert, length: SilenceLength): SilenceRequest[] {
  const rules = new Set([alert.rule, ...(alert.findings ?? []).map((finding) => finding.rule)]);
  return [...rules].map((rule) => ({ instance: alert.instance, rule, duration_s: silenceHours[length] * 3600 }));
}
