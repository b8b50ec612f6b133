import { describe, expect, it } from "vitest";
import type { Entry } from "../api/types";
import { emptyEntryForm, readImport, textIn, toForm, toInput } from "./entry-form";

const entry: Entry = {
  id: "kb-mem-001", category: "memory", severity: "critical", source: "file", languages: ["ko", "en"], title: { ko: "메모리", en: "Memory" },
  symptoms: [{ ko: "쓰기 거부", en: "writes refused" }, { ko: "OOM 오류", en: "OOM errors" }], root_causes: [], diagnosis_steps: [], solutions: [], prevention: [],
  related_metrics: ["used_memory", "maxmemory"], tags: ["oom"], signals: [], actions: [], do_not: [],
};

describe("an entry as a form", () => {
  it("comes back as it was", () => {
    const result = toInput(toForm(entry));
    expect(result).toMatchObject({
      ok: true,
      input: { id: "kb-mem-001", title: entry.title, symptoms: entry.symptoms, related_metrics: entry.related_metrics, tags: ["oom"], signals: [], actions: [], do_not: [] },
    });
  });

  it("pairs lines by their place, also around an empty one", () => {
    const form = emptyEntryForm();
    form.title.en = "x";
    form.lists.symptoms = { ko: "하나\n\n셋\n", en: "one\ntwo" };
    const result = toInput(form);
    expect(result.ok && result.input.symptoms).toEqual([{ ko: "하나", en: "one" }, { en: "two" }, { ko: "셋" }]);
  });

  it("keeps each text in the languages it was written in", () => {
    const symptoms = [{ en: "refused" }, { ko: "쓰기 거부" }, { ko: "지연", en: "slow" }, { ko: "OOM", en: "OOM" }];
    for (const languages of [["ko"], ["en"], ["ko", "en"]] as const) {
      const form = toForm({ ...entry, languages: [...languages], title: { ko: "메모리" }, symptoms });
      expect(form.title).toEqual({ ko: "메모리", en: "" });
      expect(form.lists.symptoms).toEqual({ ko: "\n쓰기 거부\n지연\nOOM", en: "refused\n\nslow\nOOM" });
      expect(toInput(form)).toMatchObject({ ok: true, input: { title: { ko: "메모리" }, symptoms } });
    }
  });

  it("needs a title in one language", () => {
    expect(toInput(emptyEntryForm())).toEqual({ ok: false, problem: { field: "title" } });
  });

  it("says where JSON is broken", () => {
    const form = { ...toForm(entry), engine: { ...toForm(entry).engine, actions: "[{" } };
    expect(toInput(form)).toMatchObject({ ok: false, problem: { field: "actions" } });
  });
});

describe("texts", () => {
  it("are shown in the other language rather than not at all", () => {
    expect(textIn({ en: "only" }, "ko")).toBe("only");
    expect(textIn("plain", "en")).toBe("plain");
  });
});

describe("imports", () => {
  it("may be an export, an array or one entry", () => {
    expect(readImport('{"entries":[{"id":"a"}]}')).toHaveLength(1);
    expect(readImport('[{"id":"a"},{"id":"b"}]')).toHaveLength(2);
    expect(readImport('{"id":"a","title":"t"}')).toHaveLength(1);
  });

  it("are refused when they are something else", () => {
    for (const text of ["", "[]", "[1]", '{"a":1}', "no json"]) expect(readImport(text), text).toBeNull();
  });
});
