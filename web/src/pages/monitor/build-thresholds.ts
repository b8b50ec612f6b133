// The thresholds table and its form: rules of the API → texts, and a filled form → what is sent. All pure.
import type { TFunction } from "i18next";
import type { ThresholdCondition, ThresholdRule, ThresholdSetting } from "../../api/types";
import type { Lang } from "../../i18n/lang";
import { formatBytes, formatCount } from "../../lib/format";

export interface Limit {
  name: string;
  text: string;
  changed: boolean;
}

export interface ThresholdRow {
  rule: ThresholdRule;
  defaults: Limit[];
  yours: Limit[];
}

export function buildThresholdRows(rules: readonly ThresholdRule[], lang: Lang, t: TFunction): ThresholdRow[] {
  return rules.map((rule) => ({ rule, defaults: limits(rule, true, lang, t), yours: limits(rule, false, lang, t) }));
}

export function countChanged(rules: readonly ThresholdRule[]): number {
  return rules.filter((rule) => rule.changed).length;
}

function limits(rule: ThresholdRule, defaults: boolean, lang: Lang, t: TFunction): Limit[] {
  if (!defaults && !rule.enabled) return [{ name: "enabled", text: t("threshold.off"), changed: true }];
  const list = rule.conditions.map((condition) => ({
    name: condition.name,
    text: limitText(condition, rule, defaults, lang, t),
    changed: !defaults && condition.threshold !== condition.default_threshold,
  }));
  const holds = rule.conditions.map((condition) => (defaults ? condition.default_hold_s : condition.hold_s));
  const changed = !defaults && rule.conditions.some((condition) => condition.hold_s !== condition.default_hold_s);
  if (changed || Math.max(...holds) > 0) list.push({ name: "hold_s", text: holdText(holds, t), changed });
  return list;
}

// "경고 80 %"; the metric is named where severity and unit do not tell two conditions apart.
function limitText(condition: ThresholdCondition, rule: ThresholdRule, defaults: boolean, lang: Lang, t: TFunction): string {
  const twin = twinsOf(condition, rule).some((other) => other.format === condition.format);
  const severity = t(`alert.${condition.severity}`);
  const label = twin ? `${severity} (${condition.metric})` : severity;
  if (!condition.settable) return t("threshold.seen", { severity: label });
  const value = formatThreshold(defaults ? condition.default_threshold : condition.threshold, condition.format, lang);
  return `${label} ${condition.operator === "<" ? "< " : ""}${value}`;
}

function twinsOf(condition: ThresholdCondition, rule: ThresholdRule): ThresholdCondition[] {
  return rule.conditions.filter((other) => other.severity === condition.severity && other.name !== condition.name);
}

function holdText(holds: readonly number[], t: TFunction): string {
  const [least, most] = [Math.min(...holds), Math.max(...holds)];
  if (most === 0) return t("threshold.atOnce");
  return t("threshold.holds", { seconds: least === most ? String(most) : `${least}–${most}` });
}

// "위험", and the metric where one rule judges several.
export function labelOf(condition: ThresholdCondition, rule: ThresholdRule, t: TFunction): string {
  const severity = t(`alert.${condition.severity}`);
  return twinsOf(condition, rule).length > 0 ? `${severity} (${condition.metric})` : severity;
}

export function formatThreshold(value: number, format: ThresholdCondition["format"], lang: Lang): string {
  if (format === "bytes") return formatBytes(value);
  return `${formatCount(value, lang)}${unitOf(format, lang)}`;
}

export function unitOf(format: ThresholdCondition["format"], lang: Lang): string {
  switch (format) {
    case "percent":
      return " %";
    case "seconds":
      return lang === "ko" ? "초" : " s";
    case "ms":
      return " ms";
    case "bytes":
      return " B";
    case "per_second":
      return lang === "ko" ? "/초" : "/s";
    case "count":
    case "ratio":
    case "state":
      return "";
  }
}

// What stands in a number's field. While somebody types it may be a text: "1." on the way to 1.6, or "2.0".
export type Typed = number | string | null;

export function numberOf(typed: Typed): number | null {
  const number = typeof typed === "string" && typed.trim() !== "" ? Number(typed) : typed;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}

// The form of one rule: null stands for the default.
export interface ThresholdForm {
  values: Record<string, Typed>;
  hold: Typed;
  enabled: boolean;
}

export function formOf(rule: ThresholdRule): ThresholdForm {
  const values: ThresholdForm["values"] = {};
  for (const condition of rule.conditions.filter((one) => one.settable)) {
    values[condition.name] = condition.threshold === condition.default_threshold ? null : condition.threshold;
  }
  const held = rule.conditions.find((condition) => condition.hold_s !== condition.default_hold_s);
  return { values, hold: held?.hold_s ?? null, enabled: rule.enabled };
}

// Only what differs from the defaults; null when nothing does.
export function settingOf(form: ThresholdForm): ThresholdSetting {
  const setting: Record<string, number | boolean> = {};
  for (const [name, typed] of Object.entries(form.values)) {
    const value = numberOf(typed);
    if (value !== null) setting[name] = value;
  }
  const hold = numberOf(form.hold);
  if (hold !== null) setting.hold_s = hold;
  if (!form.enabled) setting.enabled = false;
  return Object.keys(setting).length === 0 ? null : (setting as NonNullable<ThresholdSetting>);
}

// The threshold that applies to a rule's condition; null while the rule is off or not known.
export function thresholdOf(rules: readonly ThresholdRule[], rule: string, condition: string): number | null {
  const found = rules.find((one) => one.rule === rule);
  return found?.enabled ? (found.conditions.find((one) => one.name === condition)?.threshold ?? null) : null;
}
