// Which lines of a log carry evidence, and which of the others are worth showing.

export interface LogEvidence {
  n: number;
  line?: number | null; // 1-based
  text?: string | null;
}

export interface LogLine {
  no: number;
  text: string;
  marks: number[]; // numbers of the evidence that stands here
}

export type LogRow = { kind: "line"; line: LogLine } | { kind: "hidden"; from: number; count: number };

export function markLines(log: string, evidence: readonly LogEvidence[]): LogLine[] {
  const lines = log.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n").map((text, i): LogLine => ({ no: i + 1, text, marks: [] }));
  for (const item of evidence) {
    const at = item.line != null && item.line >= 1 ? item.line - 1 : findLine(lines, item.text);
    lines[at]?.marks.push(item.n);
  }
  return lines;
}

// Long logs fold to the marked lines and `context` lines around each; short ones stay whole.
export function foldLines(lines: readonly LogLine[], context: number, wholeUpTo: number): LogRow[] {
  if (lines.length <= wholeUpTo) return lines.map((line) => ({ kind: "line", line }));
  const keep = new Set<number>();
  lines.forEach((line, i) => {
    if (line.marks.length === 0) return;
    for (let k = i - context; k <= i + context; k += 1) keep.add(k);
  });
  if (keep.size === 0) for (let k = 0; k < wholeUpTo; k += 1) keep.add(k);
  const rows: LogRow[] = [];
  lines.forEach((line, i) => {
    if (keep.has(i)) {
      rows.push({ kind: "line", line });
      return;
    }
    const last = rows.at(-1);
    if (last?.kind === "hidden") last.count += 1;
    else rows.push({ kind: "hidden", from: line.no, count: 1 });
  });
  return rows;
}

function findLine(lines: readonly LogLine[], text: string | null | undefined): number {
  const wanted = text?.trim().split("\n")[0]?.trim();
  if (!wanted) return -1;
  return lines.findIndex((line) => line.text.includes(wanted));
}
