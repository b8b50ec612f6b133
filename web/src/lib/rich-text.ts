// The little markup that texts of the engine and the knowledge base carry: `code` and citations [n].

export type TextPart = { kind: "text"; text: string } | { kind: "code"; text: string } | { kind: "cite"; n: number };

// "`free -m`으로 확인하세요 [1][3]" → text, code and citations.
export function splitText(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  for (const match of text.matchAll(/\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]|`([^`\n]+)`/g)) {
    if (match.index > at) parts.push({ kind: "text", text: text.slice(at, match.index) });
    if (match[2] !== undefined) parts.push({ kind: "code", text: match[2] });
    else for (const n of (match[1] ?? "").split(",")) parts.push({ kind: "cite", n: Number(n) });
    at = match.index + match[0].length;
  }
  if (at < text.length) parts.push({ kind: "text", text: text.slice(at) });
  return parts;
}
