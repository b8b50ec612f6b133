import { describe, expect, it } from "vitest";
import { en } from "./en";
import { ko } from "./ko";
import { chooseLang } from "./lang";

type Tree = { [key: string]: string | Tree };

function flatten(tree: Tree, prefix = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[prefix + key, value] as [string, string]] : flatten(value, `${prefix}${key}.`),
  );
}

const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();

describe("the two languages", () => {
  const korean = new Map(flatten(ko));
  const english = new Map(flatten(en));

  it("have the same keys", () => {
    expect([...english.keys()].sort()).toEqual([...korean.keys()].sort());
  });

  it("fill the same blanks", () => {
    for (const [key, text] of korean) expect(placeholders(english.get(key) ?? ""), key).toEqual(placeholders(text));
  });

  it("leave no text empty", () => {
    for (const [key, text] of [...korean, ...english]) expect(text.trim(), key).not.toBe("");
  });

  it("are both themselves: no Hangul in English", () => {
    for (const [key, text] of english) expect(text, key).not.toMatch(/[가-힣]/);
  });

  it("use the agreed Korean terms", () => {
    expect(Object.values(ko.severity)).toEqual(["심각", "높음", "보통", "낮음", "장애 아님"]);
    expect([ko.alert.warning, ko.alert.critical, ko.alert.resolved]).toEqual(["경고", "위험", "해소"]);
    expect([ko.confidence.certain, ko.confidence.likely, ko.confidence.possible, ko.confidence.undecided]).toEqual([
      "확실", "유력", "추정", "판단 불가",
    ]);
  });
});

describe("the language of a visit", () => {
  it("is the address's, then the one chosen before, then the browser's, then Korean", () => {
    expect(chooseLang("en", "ko", ["ko"])).toBe("en");
    expect(chooseLang(null, "en", ["ko"])).toBe("en");
    expect(chooseLang("fr", null, ["fr-FR", "en-GB"])).toBe("en");
    expect(chooseLang(null, null, ["fr"])).toBe("ko");
  });
});
