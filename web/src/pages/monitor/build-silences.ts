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

interface Told {
  submittedAt: number;
  isSuccess: boolean;
  error: Error | null;
}

// What the panel tells of its two commands: only how the later one went, so that no old message stays.
export function buildSilenceNews(adding: Told & { data?: readonly Silence[] | undefined }, ending: Told, now: number, t: TFunction) {
  const ended = ending.submittedAt > adding.submittedAt;
  const until = adding.data?.[0]?.until;
  const done = until ? t("silence.done", { time: formatMoment(until, now) }) : "";
  const latest = ended ? ending : adding;
  return { error: latest.error, message: latest.isSuccess ? (ended ? t("silence.ended") : done) : "" };
}

// One per rule that the alert names now: a new fault of the same group is still heard.
export function silencesFor(alert: Alert, length: SilenceLength): SilenceRequest[] {
  const rules = new Set([alert.rule, ...(alert.findings ?? []).map((finding) => finding.rule)]);
  return [...rules].map((rule) => ({ instance: alert.instance, rule, duration_s: silenceHours[length] * 3600 }));
}
