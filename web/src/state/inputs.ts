// The log that was analysed, kept in this browser tab only: the server does not store it, the result page shows its
// lines. Bounded, and gone with the tab.
const kPrefix = "redoubt.input.";
const kMaxChars = 400_000;
const kKept = 5;

export function rememberInput(analysisId: string, log: string): void {
  if (log === "" || log.length > kMaxChars) return;
  try {
    const known = Object.keys(sessionStorage).filter((key) => key.startsWith(kPrefix));
    for (const key of known.slice(0, Math.max(0, known.length - kKept + 1))) sessionStorage.removeItem(key);
    sessionStorage.setItem(kPrefix + analysisId, log);
  } catch {
    // A full or forbidden storage only costs the log view.
  }
}

export function recallInput(analysisId: string): string | null {
  try {
    return sessionStorage.getItem(kPrefix + analysisId);
  } catch {
    return null;
  }
}
