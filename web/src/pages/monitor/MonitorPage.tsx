// The live screen. ?instance= names the server, ?range= the charts' span, ?connect=1 opens the form.
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { useMetrics, useStatus } from "../../api/monitor";
import type { Instance, StatusReply } from "../../api/types";
import { Page } from "../../components/Panel";
import { EmptyState, QueryView } from "../../components/states";
import { AlertPanel } from "./AlertPanel";
import { isRange } from "./build-charts";
import { ChartGrid } from "./ChartGrid";
import { ConnectDialog } from "./ConnectDialog";
import { FactsPanels } from "./FactsPanels";
import { FaultPanel } from "./FaultPanel";
import { Controls, DetailsFold, WhoLine } from "./MonitorHead";
import { StoryBanner } from "./StoryBanner";
import { ThresholdFold } from "./ThresholdFold";
import styles from "./monitor.module.css";

export default function MonitorPage() {
  const status = useStatus();
  const [params, setParams] = useSearchParams();
  const setParam = (name: string, value: string | null) =>
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        if (value === null) next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  return (
    <>
      <QueryView query={status} lines={8}>
        {(data) => <Content status={data} wanted={params.get("instance")} onConnect={() => setParam("connect", "1")} />}
      </QueryView>
      <ConnectDialog
        opened={params.get("connect") === "1"}
        onClose={() => setParam("connect", null)}
        onShow={(instance) => setParams({ instance })}
      />
    </>
  );
}

function Content({ status, wanted, onConnect }: { status: StatusReply; wanted: string | null; onConnect: () => void }) {
  const { t } = useTranslation();
  const id = wanted ?? status.default;
  const instance = status.instances.find((one) => one.id === id || one.name === id);
  if (instance) return <Watched key={instance.id} instance={instance} />;
  const unknown = wanted !== null && status.instances.length > 0;
  return (
    <Page title={t("nav.monitor")}>
      <EmptyState
        title={unknown ? t("monitor.unknownInstance") : t("monitor.noInstance")}
        hint={unknown ? t("monitor.unknownInstanceHint") : t("monitor.noInstanceHint")}
      >
        <Button onClick={onConnect}>{t("start.connectGo")}</Button>
      </EmptyState>
    </Page>
  );
}

function Watched({ instance }: { instance: Instance }) {
  const [params, setParams] = useSearchParams();
  const metrics = useMetrics(instance.id);
  const wanted = params.get("range");
  const range = isRange(wanted) ? wanted : "m15";
  return (
    <Page title={instance.name} beside={<WhoLine instance={instance} sample={metrics.data} />}>
      <StoryBanner instance={instance} />
      <Controls
        instance={instance}
        range={range}
        onRange={(next) => setParams((old) => ({ ...Object.fromEntries(old), range: next }), { replace: true })}
      />
      <div className={styles.grid}>
        <div className={styles.main}>
          <ChartGrid instance={instance} sample={metrics.data} range={range} />
        </div>
        <div className={`${styles.column} ${styles.state}`}>
          <FactsPanels sample={metrics.data} instance={instance} />
          <ThresholdFold instance={instance} />
        </div>
        <div className={`${styles.column} ${styles.aside}`}>
          <AlertPanel instance={instance} />
          <FaultPanel instance={instance} />
          <DetailsFold instance={instance} />
        </div>
      </div>
    </Page>
  );
}
