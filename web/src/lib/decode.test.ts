import { describe, expect, it } from "vitest";
import { decodeLog, repairMojibake } from "./decode";

const utf8 = new TextEncoder();

describe("a dropped log file", () => {
  it("is read as UTF-8", () => {
    expect(decodeLog(utf8.encode("메모리 부족"))).toEqual({ text: "메모리 부족", encoding: "utf-8" });
  });

  it("is read as CP949 when its bytes are no UTF-8", () => {
    const bytes = Uint8Array.from([0xb8, 0xde, 0xb8, 0xf0, 0xb8, 0xae, 0x20, 0xba, 0xce, 0xc1, 0xb7]);
    expect(decodeLog(bytes)).toEqual({ text: "메모리 부족", encoding: "cp949" });
  });

  it("is read as UTF-16 with its mark", () => {
    expect(decodeLog(Uint8Array.from([0xff, 0xfe, 0x4f, 0, 0x4f, 0, 0x4d, 0])).text).toBe("OOM");
  });

  it("is repaired when UTF-8 was taken for Latin-1 on the way", () => {
    const broken = new TextDecoder("windows-1252").decode(utf8.encode("메모리 부족"));
    expect(decodeLog(utf8.encode(broken))).toEqual({ text: "메모리 부족", encoding: "utf-8-repaired" });
  });

  it("is left alone when it only has accents", () => {
    expect(repairMojibake("café déjà vu")).toBeNull();
    expect(decodeLog(utf8.encode("café")).text).toBe("café");
  });
});
