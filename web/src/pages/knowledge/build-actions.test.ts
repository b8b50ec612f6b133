import { describe, expect, it } from "vitest";
import type { Entry } from "../../api/types";
import { buildActions } from "./build-actions";

describe("an entry's actions", () => {
  it("are shown in the page's language, with risk and place", () => {
    const actions = [{ cmd: "CONFIG SET maxmemory 2gb", where: "redis-cli", risk: "low", why: { ko: "쓰기 재개", en: "writes again" }, undo: "CONFIG SET maxmemory 1gb" }];
    expect(buildActions(actions as unknown as Entry["actions"], "en")).toEqual([
      { cmd: "CONFIG SET maxmemory 2gb", where: "redis-cli", risk: "low", why: "writes again", checkFirst: "", undo: "CONFIG SET maxmemory 1gb" },
    ]);
  });

  it("lose what this page does not know rather than break it", () => {
    const actions = [{ risk: "low" }, { cmd: "PING", risk: "huge", where: 3 }, { cmd: "PING" }];
    expect(buildActions(actions as unknown as Entry["actions"], "ko")).toEqual([
      { cmd: "PING", where: undefined, risk: undefined, why: "", checkFirst: "", undo: "" },
    ]);
    expect(buildActions(undefined, "ko")).toEqual([]);
  });
});
