// Whether this browser has been past the start page: the first visit shows the three ways in.
const kStarted = "redoubt.started";

export function hasStarted(): boolean {
  return localStorage.getItem(kStarted) !== null;
}

export function markStarted(): void {
  localStorage.setItem(kStarted, "1");
}
