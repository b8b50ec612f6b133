// An entry's actions as the page shows them. The document leaves their shape open, so each field is looked at;
// a command that serves several failure modes stands once.
import type { Entry, Risk } from "../../api/types";
import type { Lang } from "../../i18n/lang";
import { textIn } from "../../lib/entry-form";
import { oneOf } from "../../lib/params";

const risks = ["read", "low", "high", "data-loss"] as const satisfies readonly Risk[];
const places = ["redis-cli", "sentinel", "shell", "config-file", "client", "provider"] as const;

export interface ActionRow {
  cmd: string;
  where: (typeof places)[number] | undefined;
  risk: Risk | undefined;
  why: string;
  checkFirst: string;
  undo: string;
}

export function buildActions(actions: Entry["actions"], lang: Lang): ActionRow[] {
  const seen = new Set<string>();
  return ((actions ?? []) as Record<string, unknown>[]).flatMap((action) => {
    if (typeof action.cmd !== "string" || seen.has(action.cmd)) return [];
    seen.add(action.cmd);
    return [
      {
        cmd: action.cmd,
        where: oneOf(word(action.where), places),
        risk: oneOf(word(action.risk), risks),
        why: show(action.why, lang),
        checkFirst: show(action.check_first, lang),
        undo: show(action.undo, lang),
      },
    ];
  });
}

function word(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function show(value: unknown, lang: Lang): string {
  return typeof value === "string" || (typeof value === "object" && value !== null) ? textIn(value, lang) : "";
}
