// Search hits with a bar that compares them: scores have no unit, so the best one is the measure.
import type { SearchHit } from "../../api/types";

export interface HitRow {
  hit: SearchHit;
  share: number; // 0..1 of the best score
}

export function buildHits(hits: readonly SearchHit[]): HitRow[] {
  const best = Math.max(0, ...hits.map((hit) => hit.score));
  return hits.map((hit) => ({ hit, share: best > 0 ? Math.max(0, hit.score) / best : 0 }));
}
