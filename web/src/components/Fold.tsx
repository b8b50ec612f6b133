import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import styles from "./fold.module.css";

// A section that starts closed. Native, so keyboard, screen reader and find-in-page work.
export function Fold({ title, count, open, children }: { title: string; count?: number; open?: boolean; children: ReactNode }) {
  return (
    <details className={styles.fold} open={open}>
      <summary>
        <ChevronRight size={16} className={styles.arrow} aria-hidden="true" />
        {title}
        {count !== undefined && <span className={`${styles.count} num`}>{count}</span>}
      </summary>
      <div className={styles.body}>{children}</div>
    </details>
  );
}
