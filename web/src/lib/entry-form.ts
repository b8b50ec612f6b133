// A knowledge entry as a form: lists become lines, the engine's parts JSON; and back.
import type { Entry, EntryCategory, EntryInput, EntrySeverity, Text } from "../api/types";
import type { Lang } from "../i18n/lang";

export const listFields = ["symptoms", "root_causes", "diagnosis_steps", "solutions", "prevention"] as const;
export type ListField = (typeof listFields)[number];

// What the engine reads: edited as JSON, and sent back whole, since saving replaces the entry.
export const engineFields = ["failure_modes", "signals", "actions", "do_not"] as const;
export type EngineField = (typeof engineFields)[number];

export type LocalForm = Record<Lang, string>;

export interface EntryForm {
  id: string;
  category: EntryCategory;
  severity: EntrySeverity;
  title: LocalForm;
  lists: Record<ListField, LocalForm>;
  relatedMetrics: string;
  tags: string;
  engine: Record<EngineField, string>;
}

export function emptyEntryForm(): EntryForm {
  const empty = (): LocalForm => ({ ko: "", en: "" });
  return {
    id: "", category: "memory", severity: "medium", title: empty(),
    lists: { symptoms: empty(), root_causes: empty(), diagnosis_steps: empty(), solutions: empty(), prevention: empty() },
    relatedMetrics: "", tags: "", engine: { failure_modes: "", signals: "", actions: "", do_not: "" },
  };
}

export function textIn(text: Text, lang: Lang): string {
  if (typeof text === "string") return text;
  return text[lang] ?? text[lang === "ko" ? "en" : "ko"] ?? "";
}

// `entry` as it was written (?as=written): a language that is not there stays empty.
export function toForm(entry: Entry): EntryForm {
  const form = emptyEntryForm();
  const json = (value: unknown) => (value === undefined ? "" : JSON.stringify(value, null, 2));
  for (const field of listFields) {
    form.lists[field] = { ko: entry[field].map((text) => written(text, "ko")).join("\n"), en: entry[field].map((text) => written(text, "en")).join("\n") };
  }
  return {
    ...form,
    id: entry.id,
    category: entry.category,
    severity: entry.severity,
    title: { ko: written(entry.title, "ko"), en: written(entry.title, "en") },
    relatedMetrics: entry.related_metrics.join(", "),
    tags: entry.tags.join(", "),
    engine: { failure_modes: json(entry.failure_modes), signals: json(entry.signals), actions: json(entry.actions), do_not: json(entry.do_not) },
  };
}

export type FormProblem = { field: "title" } | { field: EngineField; reason: string };

export function toInput(form: EntryForm): { ok: true; input: EntryInput } | { ok: false; problem: FormProblem } {
  const title = local(form.title.ko.trim(), form.title.en.trim());
  if (title === null) return { ok: false, problem: { field: "title" } };
  const engine: Partial<Record<EngineField, unknown>> = {};
  for (const field of engineFields) {
    const parsed = parseJson(form.engine[field]);
    if (!parsed.ok) return { ok: false, problem: { field, reason: parsed.reason } };
    if (parsed.value !== undefined) engine[field] = parsed.value;
  }
  const lists = Object.fromEntries(listFields.map((field) => [field, buildList(form.lists[field])])) as Record<ListField, Text[]>;
  return {
    ok: true,
    input: {
      ...(form.id.trim() === "" ? {} : { id: form.id.trim() }),
      category: form.category,
      severity: form.severity,
      title,
      ...lists,
      related_metrics: commas(form.relatedMetrics),
      tags: commas(form.tags),
      ...(engine as Pick<EntryInput, EngineField>),
    },
  };
}

// Line n in Korean and line n in English are one text in two languages.
function buildList(form: LocalForm): Text[] {
  const ko = lines(form.ko);
  const en = lines(form.en);
  const texts: Text[] = [];
  for (let i = 0; i < Math.max(ko.length, en.length); i += 1) {
    const text = local(ko[i] ?? "", en[i] ?? "");
    if (text !== null) texts.push(text);
  }
  return texts;
}

function local(ko: string, en: string): Text | null {
  if (ko === "" && en === "") return null;
  return { ...(ko === "" ? {} : { ko }), ...(en === "" ? {} : { en }) };
}

function written(text: Text, lang: Lang): string {
  if (typeof text === "string") return lang === "ko" ? text : "";
  return (text[lang] ?? "").replace(/\n/g, " ");
}

function lines(text: string): string[] {
  const all = text.split("\n").map((line) => line.trim());
  while (all.at(-1) === "") all.pop();
  return all;
}

function commas(text: string): string[] {
  return text.split(",").map((part) => part.trim()).filter((part) => part !== "");
}

function parseJson(text: string): { ok: true; value: unknown } | { ok: false; reason: string } {
  if (text.trim() === "") return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

// What people drop as an import: an exported object, an array of entries, or one entry.
export function readImport(text: string): Record<string, never>[] | null {
  const parsed = parseJson(text);
  if (!parsed.ok) return null;
  const { value } = parsed;
  const list = Array.isArray(value) ? value : isObject(value) && Array.isArray(value.entries) ? value.entries : isObject(value) && "title" in value ? [value] : null;
  return list !== null && list.length > 0 && list.every(isObject) ? (list as Record<string, never>[]) : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
