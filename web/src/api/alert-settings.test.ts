import { QueryClient } from "@tanstack/react-query";
import { expect, it } from "vitest";
import { keepThresholds } from "./alert-settings";

it("a change of thresholds puts the other language out of date, and no other server", async () => {
  const client = new QueryClient();
  const key = (instance: string, lang: string) => ["monitor", "thresholds", instance, lang];
  for (const instance of ["a", "b"]) for (const lang of ["ko", "en"]) client.setQueryData(key(instance, lang), "old");
  await keepThresholds(client, "a", "ko", "new");
  expect(client.getQueryData(key("a", "ko"))).toBe("new");
  const stale = [["a", "ko"], ["a", "en"], ["b", "ko"], ["b", "en"]].filter(([instance = "", lang = ""]) => client.getQueryState(key(instance, lang))?.isInvalidated);
  expect(stale).toEqual([["a", "en"]]);
});
