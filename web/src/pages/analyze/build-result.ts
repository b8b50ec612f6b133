// A diagnosis as the page shows it: the order of the screen, and evidence as readable lines.
import type { TFunction } from "i18next";
import type { Analysis, EvidenceItem, Incident } from "../../api/types";
import type { Lang } from "../../i18n/lang";
import { formatBytes, formatCount, formatTime } from "../../lib/format";

export interface EvidenceRow {
  n: number;
  source: EvidenceItem["source"];
  name: string | null; // the field, where the evidence is one
  text: string;
  note: string; // threshold, line, time
}

const kStrongest = 3;

// The first three that speak for the verdict itself; the server gives the strongest first. Values that one condition
// compares (used_memory, maxmemory) are one piece: the first stands for it here, all are listed below.
export function strongestEvidence(incident: Incident): EvidenceItem[] {
  const own = incident.evidence.filter((item) => !item.supports || item.supports === incident.failure_mode);
  const conditions = new Set<string>();
  const distinct = (own.length > 0 ? own : incident.evidence).filter(({ threshold }) => {
    if (!isCondition(threshold)) return true;
    if (conditions.has(threshold)) return false;
    conditions.add(threshold);
    return true;
  });
  return distinct.slice(0, kStrongest);
}

export function buildEvidence(items: readonly EvidenceItem[], lang: Lang, t: TFunction): EvidenceRow[] {
  return items.map((item) => {
    const name = item.field ?? null;
    const notes = [
      showThreshold(name, item.threshold, lang, t),
      item.line == null ? "" : t("result.line", { line: item.line }),
      item.at ?? "",
    ];
    return {
      n: item.n,
      source: item.source,
      name,
      text: name !== null && item.value != null ? showValue(name, item.value, lang) : (item.text ?? ""),
      note: notes.filter(Boolean).join(" · "),
    };
  });
}

// A threshold is a value, or the whole condition that held.
function isCondition(threshold: EvidenceItem["threshold"]): threshold is string {
  return typeof threshold === "string" && /[=<>]/.test(threshold);
}

function showThreshold(field: string | null, threshold: EvidenceItem["threshold"], lang: Lang, t: TFunction): string {
  if (threshold == null) return "";
  if (isCondition(threshold)) return t("result.condition", { value: threshold });
  return t("result.threshold", { value: showValue(field, threshold, lang) });
}

// Byte fields get their readable size beside the number that Redis shows.
function showValue(field: string | null, value: string | number | boolean, lang: Lang): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" && !/^\d{4,}$/.test(value)) return value;
  const number = Number(value);
  if (field !== null && isBytes(field) && number >= 1024) return `${formatCount(number, lang)} (${formatBytes(number)})`;
  return formatCount(number, lang);
}

function isBytes(field: string): boolean {
  return /^(used_memory(_rss|_peak|_dataset|_overhead|_startup)?|maxmemory|mem_not_counted_for_evict|.*_bytes|total_system_memory)$/.test(field);
}

export interface MetaRow {
  label: string;
  value: string;
}

export function buildMeta(analysis: Analysis, instanceName: string | null, t: TFunction): MetaRow[] {
  const yesNo = (value: string, yes: string, no: string) => (value === "yes" ? yes : value === "no" ? no : t("common.unknown"));
  const { impact, context } = analysis;
  const affected = (value: string) => yesNo(value, t("result.affected"), t("result.unaffected"));
  const environment = [context.version, context.role, context.topology, typeof context.managed === "string" ? context.managed : null];
  const rows: MetaRow[] = [
    { label: t("result.writes"), value: affected(impact.writes) },
    { label: t("result.reads"), value: affected(impact.reads) },
    { label: t("result.dataAtRisk"), value: yesNo(impact.data_at_risk, t("result.atRisk"), t("result.safe")) },
    { label: t("result.instance"), value: instanceName ?? analysis.instance ?? t("analyze.pasted") },
    { label: t("result.created"), value: formatTime(analysis.created_at) },
    { label: t("result.started"), value: showTime(analysis.started_at) },
    { label: t("result.ended"), value: showTime(analysis.ended_at) },
    { label: t("result.context"), value: environment.filter(Boolean).join(" · ") },
    { label: t("result.engine"), value: analysis.engine.llm ?? t("result.engineRules") },
  ];
  return rows.filter((row) => row.value !== "");
}

// RFC 3339 is shown in the reader's zone; a time that the log wrote in its own way stays as it is.
function showTime(value: string | undefined): string {
  if (!value) return "";
  return /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(value) ? formatTime(value) : value;
}
