import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useSilenceCommands } from "../../api/alert-settings";
import { useAlerts, useMonitorCommands } from "../../api/monitor";
import type { Alert, Instance } from "../../api/types";
import { AlertBadge, PlainBadge } from "../../components/badges";
import { Panel } from "../../components/Panel";
import { EmptyState, ErrorState, QueryView } from "../../components/states";
import { useLang } from "../../state/lang";
import { useNow } from "../../state/now";
import { buildAlertRows, countActive, type AlertRow } from "./build-alerts";
import { silencesFor, type SilenceLength } from "./build-silences";
import styles from "./monitor.module.css";
import { SilenceList, SilenceMenu } from "./SilencePanel";

export function AlertPanel({ instance }: { instance: Instance }) {
  const { t } = useTranslation();
  const lang = useLang();
  const now = useNow(60_000);
  const alerts = useAlerts(instance.id);
  const { ack } = useMonitorCommands();
  const { add } = useSilenceCommands();
  const silence = (alert: Alert, length: SilenceLength) => add.mutate(silencesFor(alert, length));
  const active = countActive(alerts.data?.alerts ?? []);
  return (
    <Panel title={t("alert.title")} aside={active > 0 ? <span className="num">{t("alert.active", { count: active })}</span> : undefined}>
      <QueryView query={alerts} lines={3}>
        {(data) => {
          const rows = buildAlertRows(data.alerts, now, lang, t);
          if (rows.length === 0) {
            return <EmptyState compact title={t("alert.empty")} hint={instance.running ? t("alert.emptyHint") : t("alert.noPolling")} />;
          }
          return (
            <>
              {ack.error && <ErrorState error={ack.error} inline />}
              {/* A scrolling list must be reachable by keyboard. */}
              {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
              <ul className={styles.alerts} aria-label={t("alert.title")} tabIndex={0}>
                {rows.map((row) => (
                  <Row key={row.alert.id} row={row} onAck={() => ack.mutate(row.alert.id)} onSilence={silence} />
                ))}
              </ul>
            </>
          );
        }}
      </QueryView>
      <SilenceList instance={instance} adding={add} />
    </Panel>
  );
}

interface RowProps {
  row: AlertRow;
  onAck: () => void;
  onSilence: (alert: Alert, length: SilenceLength) => void;
}

function Row({ row, onAck, onSilence }: RowProps) {
  const { t } = useTranslation();
  const { alert } = row;
  return (
    <li
      className={`${styles.alert} ${row.active ? "" : styles.over}`}
      data-group={alert.group}
      data-rule={alert.rule}
      data-state={alert.state}
      data-severity={alert.severity}
    >
      <AlertBadge alert={alert} />
      <div className={styles.alertBody}>
        <p>{row.message}</p>
        <small className="num">{[row.value, row.when].filter(Boolean).join(" · ")}</small>
        {alert.state === "acknowledged" && <PlainBadge>{t("alert.acknowledged")}</PlainBadge>}
        {row.silenced !== "" && <PlainBadge>{row.silenced}</PlainBadge>}
        {row.active && (
          <div className={styles.alertActions}>
            {row.canAck && (
              <Button size="compact-xs" variant="default" onClick={onAck} aria-label={t("alert.ackOf", { message: row.message })}>
                {t("alert.ack")}
              </Button>
            )}
            <SilenceMenu alert={alert} message={row.message} onSilence={onSilence} />
          </div>
        )}
      </div>
    </li>
  );
}
