// The connected servers with their state and alerts: a list in the side bar, a strip above the monitor on a phone.
import { Plus } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useSearchParams } from "react-router";
import { useStatus } from "../api/monitor";
import type { Instance } from "../api/types";
import { StateDot } from "./badges";
import styles from "./shell.module.css";

export function InstanceList() {
  const { t } = useTranslation();
  const status = useStatus();
  const [params] = useSearchParams();
  const { pathname } = useLocation();
  const shown = pathname.startsWith("/monitor") ? (params.get("instance") ?? status.data?.default) : null;
  return (
    <section className={styles.group} aria-label={t("app.instances")}>
      <h2>{t("app.instances")}</h2>
      <ul className={styles.list}>
        {status.data?.instances.map((instance) => (
          <li key={instance.id}>
            <Link
              to={`/monitor?instance=${encodeURIComponent(instance.id)}`}
              className={styles.link}
              aria-current={instance.id === shown ? "true" : undefined}
            >
              <StateDot state={instance.state} />
              <span className={styles.name}>{instance.name}</span>
              <AlertCount instance={instance} />
            </Link>
          </li>
        ))}
        <li>
          <Link to="/monitor?connect=1" className={styles.link}>
            <Plus size={15} aria-hidden="true" />
            {t("app.addInstance")}
          </Link>
        </li>
      </ul>
    </section>
  );
}

function AlertCount({ instance }: { instance: Instance }) {
  const { t } = useTranslation();
  const { warning, critical } = instance.alerts;
  if (warning + critical === 0) return null;
  return (
    <span
      className={`${styles.alerts} num ${critical > 0 ? styles.alertsCritical : styles.alertsWarning}`}
      role="img"
      aria-label={t("alert.active", { count: warning + critical })}
    >
      {warning + critical}
    </span>
  );
}
