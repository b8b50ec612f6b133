import type { ReactNode } from "react";
import styles from "./panel.module.css";

export function Panel({ title, aside, children }: { title?: string; aside?: ReactNode; children: ReactNode }) {
  const headed = title !== undefined || aside !== undefined;
  return (
    <section className={styles.panel} aria-label={title}>
      {headed && (
        <div className={styles.head}>
          {title !== undefined && <h2>{title}</h2>}
          {aside !== undefined && <div className={styles.aside}>{aside}</div>}
        </div>
      )}
      <div className={headed ? styles.body : `${styles.body} ${styles.bare}`}>{children}</div>
    </section>
  );
}

interface PageProps {
  title: string;
  beside?: ReactNode; // on the title's line
  lead?: string; // below it
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, beside, lead, actions, children }: PageProps) {
  return (
    <div className={styles.page}>
      <title>{`${title} · Redoubt`}</title>
      <header className={styles.title}>
        <h1>{title}</h1>
        {beside}
        {actions && <div className={styles.aside}>{actions}</div>}
        {lead && (
          <p className={styles.lead}>
            <span>{lead}</span>
          </p>
        )}
      </header>
      {children}
    </div>
  );
}
