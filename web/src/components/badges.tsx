// Small marks that say severity, risk, state and confidence: always in words, colour only repeats them.
import { useTranslation } from "react-i18next";
import type { Alert, Category, Instance, Risk, Severity } from "../api/types";
import { confidenceWord } from "../lib/confidence";
import styles from "./badges.module.css";

export function SeverityBadge({ severity }: { severity: Severity }) {
  const { t } = useTranslation();
  return <span className={`${styles.badge} ${styles[severity]}`}>{t(`severity.${severity}`)}</span>;
}

export function CategoryBadge({ category }: { category: Category }) {
  const { t } = useTranslation();
  return <span className={`${styles.badge} ${styles.plain}`}>{t(`category.${category}`)}</span>;
}

export function RiskBadge({ risk }: { risk: Risk }) {
  const { t } = useTranslation();
  return <span className={`${styles.badge} ${styles[risk]}`}>{t(`risk.${risk}`)}</span>;
}

export function PlainBadge({ children }: { children: string }) {
  return <span className={`${styles.badge} ${styles.plain}`}>{children}</span>;
}

export function AlertBadge({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const kind = alert.state === "resolved" ? "resolved" : alert.state === "pending" ? "plain" : alert.severity;
  const word = alert.state === "resolved" || alert.state === "pending" ? t(`alert.${alert.state}`) : t(`alert.${alert.severity}`);
  return <span className={`${styles.badge} ${styles[kind]}`}>{word}</span>;
}

const dots = { connected: "dotConnected", unreachable: "dotUnreachable", idle: "dotIdle", connecting: "dotConnecting" } as const;

export function StateDot({ state }: { state: Instance["state"] }) {
  const { t } = useTranslation();
  return <span className={`${styles.dot} ${styles[dots[state]]}`} role="img" aria-label={t(`monitor.state.${state}`)} />;
}

// Word and number, e.g. 유력 82 %.
export function Confidence({ value }: { value: number }) {
  const { t } = useTranslation();
  const percent = `${Math.round(value * 100)} %`;
  const word = t(`confidence.${confidenceWord(value)}`);
  return (
    <span className={`${styles.meter} num`} role="img" aria-label={t("confidence.label", { word, percent })}>
      <span className={styles.track}>
        <span className={styles.fill} style={{ width: `${Math.round(value * 100)}%`, display: "block" }} />
      </span>
      <span aria-hidden="true">
        {word} {percent}
      </span>
    </span>
  );
}
