import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { EvidenceItem } from "../../api/types";
import { foldLines, markLines } from "../../lib/highlight";
import styles from "./analyze.module.css";

const kContext = 2;
const kWholeUpTo = 60;

// The analysed log with the lines that are evidence marked, and long stretches without any folded.
export function LogView({ log, evidence }: { log: string; evidence: readonly EvidenceItem[] }) {
  const { t } = useTranslation();
  const [whole, setWhole] = useState(false);
  const rows = useMemo(() => {
    const lines = markLines(log, evidence.filter((item) => item.source === "log" || item.line !== undefined));
    return foldLines(lines, kContext, whole ? Infinity : kWholeUpTo);
  }, [log, evidence, whole]);
  return (
    // A scrolling region must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.log} role="region" aria-label={t("result.log")} tabIndex={0}>
      {rows.map((row) =>
        row.kind === "hidden" ? (
          <button key={row.from} type="button" className={styles.hidden} onClick={() => setWhole(true)}>
            {t("result.logLines", { count: row.count })}
          </button>
        ) : (
          <div key={row.line.no} className={`${styles.line} ${row.line.marks.length > 0 ? styles.marked : ""}`}>
            <span>{row.line.no}</span>
            {row.line.marks.length > 0 ? <mark style={{ background: "none", color: "inherit" }}>{row.line.text}</mark> : <span>{row.line.text}</span>}
            <span>{row.line.marks.map((n) => `[${n}]`).join("")}</span>
          </div>
        ),
      )}
    </div>
  );
}
