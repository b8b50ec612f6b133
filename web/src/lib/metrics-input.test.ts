import { describe, expect, it } from "vitest";
import { parseMetricsInput } from "./metrics-input";

describe("pasted metrics", () => {
  it("may be INFO text", () => {
    const input = parseMetricsInput("# Memory\r\nused_memory:52428800\r\nmaxmemory_policy:noeviction\r\ndb0:keys=1,expires=0\r\n");
    expect(input).toEqual({ ok: true, fields: 3, metrics: { used_memory: 52428800, maxmemory_policy: "noeviction", db0: "keys=1,expires=0" } });
  });

  it("may be a JSON object", () => {
    expect(parseMetricsInput('{"used_memory": 1, "aof_enabled": true, "x": null}')).toEqual({
      ok: true, fields: 2, metrics: { used_memory: 1, aof_enabled: 1 },
    });
  });

  it("may be name=value lines", () => {
    expect(parseMetricsInput("connected_clients = 12")).toEqual({ ok: true, fields: 1, metrics: { connected_clients: 12 } });
  });

  it("keeps long digits as text, so that no id is rounded", () => {
    expect(parseMetricsInput("run_id:12345678901234567890")).toMatchObject({ metrics: { run_id: "12345678901234567890" } });
  });

  it("names the line that is neither", () => {
    expect(parseMetricsInput("used_memory:1\nhello there")).toEqual({ ok: false, line: 2 });
    expect(parseMetricsInput("{oops")).toEqual({ ok: false, line: 1 });
  });

  it("may be empty", () => {
    expect(parseMetricsInput("  \n")).toEqual({ ok: true, fields: 0, metrics: {} });
  });
});
