import { describe, expect, it } from "vitest";
import type { Alert, Fault } from "../api/types";
import { storyStep } from "./story";

const beganAt = Date.parse("2026-01-01T00:00:00Z");

function alert(change: Partial<Alert>): Alert {
  return {
    id: "a", instance: "i", rule: "memory-usage", severity: "warning", state: "firing", metric: "memory_usage_percent", value: 82,
    threshold: 80, message: "", started_at: "2026-01-01T00:00:10Z", resolved_at: null, acked_at: null, ...change,
  };
}

function fill(change: Partial<Fault>): Fault {
  return {
    kind: "fill-memory", instance: "i", state: "running", started_at: "2026-01-01T00:00:05Z", ends_at: null, progress: 0.1, message: "",
    error_type: null, ...change,
  };
}

describe("the demo's story", () => {
  it("fills, then waits for the warning", () => {
    expect(storyStep({ alerts: [], faults: [], beganAt })).toBe("filling");
    expect(storyStep({ alerts: [], faults: [fill({ progress: 0.7 })], beganAt })).toBe("warning");
  });

  it("waits for the warning to turn critical, then for the server to refuse writes", () => {
    expect(storyStep({ alerts: [alert({})], faults: [fill({})], beganAt })).toBe("critical");
    expect(storyStep({ alerts: [alert({ severity: "critical" })], faults: [fill({ progress: 0.9 })], beganAt })).toBe("refused");
  });

  it("goes on to the diagnosis once the server refused", () => {
    expect(storyStep({ alerts: [alert({ severity: "critical" })], faults: [fill({ error_type: "OOM" })], beganAt })).toBe("analyzing");
    expect(storyStep({ alerts: [alert({ severity: "critical" })], faults: [fill({ state: "done" })], beganAt })).toBe("analyzing");
  });

  it("follows the alert when another rule of the same cause speaks for it", () => {
    const refused = alert({ rule: "writes_refused_oom", metric: "errors", group: "memory", severity: "critical" });
    expect(storyStep({ alerts: [refused], faults: [fill({ error_type: "OOM" })], beganAt })).toBe("analyzing");
  });

  it("takes no alert of an earlier run, of another kind, or not yet firing", () => {
    const others = [
      alert({ started_at: "2025-12-31T00:00:00Z" }),
      alert({ rule: "blocked-clients", metric: "blocked_clients" }),
      alert({ state: "pending" }),
    ];
    expect(storyStep({ alerts: others, faults: [fill({})], beganAt })).toBe("filling");
  });
});
