// Numbers, sizes and times as an operator reads them. All pure; the locale is an argument.
import type { Lang } from "../i18n/lang";

const kDash = "–";

export function formatBytes(bytes: number | null | undefined): string {
  if (bytes == null || !Number.isFinite(bytes)) return kDash;
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${bytes < 0 ? "-" : ""}${value.toFixed(digits)} ${units[unit]}`;
}

export function formatCount(value: number | null | undefined, lang: Lang): string {
  if (value == null || !Number.isFinite(value)) return kDash;
  return new Intl.NumberFormat(lang, { maximumFractionDigits: Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0 }).format(value);
}

export function formatPercent(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return kDash;
  return `${value >= 99.95 || value === 0 ? value.toFixed(0) : value.toFixed(1)} %`;
}

// Date, time and zone: 2026-11-22 14:03:07 GMT+9
export function formatTime(ms: number | string | null | undefined, timeZone?: string): string {
  const date = toDate(ms);
  if (!date) return kDash;
  const parts = new Intl.DateTimeFormat("en-CA", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    hourCycle: "h23", timeZoneName: "short", timeZone,
  }).formatToParts(date);
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")} ${part("hour")}:${part("minute")}:${part("second")} ${part("timeZoneName")}`;
}

// The same, without the date when it is today's.
export function formatMoment(ms: number | string | null | undefined, now: number, timeZone?: string): string {
  const full = formatTime(ms, timeZone);
  const today = formatTime(now, timeZone).slice(0, 10);
  return full.startsWith(today) ? full.slice(11) : full;
}

export function formatClock(ms: number, timeZone?: string): string {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone }).format(ms);
}

export function formatAgo(ms: number | string | null | undefined, now: number, lang: Lang): string {
  const date = toDate(ms);
  if (!date) return kDash;
  const seconds = Math.round((date.getTime() - now) / 1000);
  const format = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
  const size = Math.abs(seconds);
  if (size < 60) return format.format(seconds, "second");
  if (size < 3600) return format.format(Math.round(seconds / 60), "minute");
  if (size < 86400) return format.format(Math.round(seconds / 3600), "hour");
  return format.format(Math.round(seconds / 86400), "day");
}

export function formatDuration(seconds: number | null | undefined, lang: Lang): string {
  if (seconds == null || !Number.isFinite(seconds)) return kDash;
  const unit = lang === "ko" ? { d: "일", h: "시간", m: "분", s: "초" } : { d: "d", h: "h", m: "m", s: "s" };
  const d = Math.floor(seconds / 86400);
  const h = Math.floor((seconds % 86400) / 3600);
  const m = Math.floor((seconds % 3600) / 60);
  if (d > 0) return `${d}${unit.d} ${h}${unit.h}`;
  if (h > 0) return `${h}${unit.h} ${m}${unit.m}`;
  if (m > 0) return `${m}${unit.m} ${Math.floor(seconds % 60)}${unit.s}`;
  return `${Math.floor(seconds)}${unit.s}`;
}

function toDate(value: number | string | null | undefined): Date | null {
  if (value == null || value === "") return null;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? null : date;
}
