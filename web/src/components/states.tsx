// The three forms every view has besides its content: loading, empty, error.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/error";
import styles from "./states.module.css";

export function Loading({ lines = 4 }: { lines?: number }) {
  const { t } = useTranslation();
  return (
    <div className={styles.bars} role="status">
      <span className="visually-hidden">{t("common.loading")}</span>
      {Array.from({ length: lines }, (_, i) => (
        <div key={i} className={styles.bar} style={{ width: `${92 - ((i * 23) % 45)}%` }} />
      ))}
    </div>
  );
}

export function EmptyState({ title, hint, children, compact }: { title: string; hint?: string; children?: ReactNode; compact?: boolean }) {
  return (
    <div className={`${styles.state} ${compact ? styles.compact : ""}`}>
      {compact ? <h3>{title}</h3> : <h2>{title}</h2>}
      {hint && <p>{hint}</p>}
      {children}
    </div>
  );
}

// Shows the server's message and hint. `inline` is for beside a form or button.
export function ErrorState({ error, onRetry, inline }: { error: unknown; onRetry?: () => void; inline?: boolean }) {
  const { t } = useTranslation();
  const { title, hint, code } = describeError(error);
  return (
    <div className={`${styles.state} ${styles.error} ${inline ? styles.inline : ""}`} role="alert">
      {inline ? <strong>{title ?? t("error.unreachable")}</strong> : <h2>{title ?? t("error.unreachable")}</h2>}
      {(hint !== null || title === null) && <p>{hint ?? t("error.unreachableHint")}</p>}
      {code && <span className={styles.code}>{t("error.code", { code })}</span>}
      {onRetry && (
        <Button size="xs" variant="default" onClick={onRetry}>
          {t("common.retry")}
        </Button>
      )}
    </div>
  );
}

// title null: the server could not be reached at all.
function describeError(error: unknown): { title: string | null; hint: string | null; code: string | null } {
  if (error instanceof ApiError) {
    if (error.status === 0) return { title: null, hint: null, code: null };
    return { title: error.message, hint: error.hint || null, code: error.code };
  }
  return { title: error instanceof Error ? error.message : String(error), hint: null, code: null };
}

interface Query<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

export function QueryView<T>({ query, children, lines = 4 }: { query: Query<T>; children: (data: T) => ReactNode; lines?: number }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  return <Loading lines={lines} />;
}
