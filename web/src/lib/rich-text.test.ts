import { describe, expect, it } from "vitest";
import { splitText } from "./rich-text";

describe("citations", () => {
  it("are found alone, joined and listed", () => {
    expect(splitText("거부됩니다 [1][2, 3].")).toEqual([
      { kind: "text", text: "거부됩니다 " },
      { kind: "cite", n: 1 },
      { kind: "cite", n: 2 },
      { kind: "cite", n: 3 },
      { kind: "text", text: "." },
    ]);
  });

  it("stand beside code", () => {
    expect(splitText("`free -m` [1]")).toEqual([{ kind: "code", text: "free -m" }, { kind: "text", text: " " }, { kind: "cite", n: 1 }]);
  });

  it("are not seen in a log's own brackets", () => {
    expect(splitText("[order-api] failed")).toEqual([{ kind: "text", text: "[order-api] failed" }]);
  });
});
