// Rules for the tests of this folder.
import type { ThresholdCondition, ThresholdRule } from "../../api/types";

export function rule(change: Partial<ThresholdRule>, ...conditions: Partial<ThresholdCondition>[]): ThresholdRule {
  return {
    rule: "r", group: "g", title: "규칙", description: "", enabled: true, changed: false,
    conditions: conditions.map((condition) => {
      const threshold = condition.threshold ?? 1;
      const severity = condition.severity ?? "warning";
      return {
        name: severity, severity, metric: "m", format: "count", operator: ">=", threshold, default_threshold: threshold, hold_s: 0,
        default_hold_s: 0, settable: true, ...condition,
      };
    }),
    ...change,
  };
}
