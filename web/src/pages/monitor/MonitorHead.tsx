import { ActionIcon, Button, Menu, Modal, NumberInput, SegmentedControl } from "@mantine/core";
import { MoreHorizontal, Play, Square, Stethoscope, Unplug } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useAnalyzeCommands } from "../../api/analysis";
import { useMonitorCommands } from "../../api/monitor";
import type { Instance, Sample } from "../../api/types";
import { StateDot } from "../../components/badges";
import { Fold } from "../../components/Fold";
import { ErrorState } from "../../components/states";
import { formatTime } from "../../lib/format";
import { useLang } from "../../state/lang";
import { ranges, type Range } from "./build-charts";
import { roleName } from "./build-facts";
import { CapabilityTable } from "./Capabilities";
import styles from "./monitor.module.css";

export function WhoLine({ instance, sample }: { instance: Instance; sample: Sample | undefined }) {
  const { t } = useTranslation();
  const server = instance.server;
  const engine = server?.engine === "valkey" ? "Valkey" : "Redis";
  return (
    <span className={styles.who}>
      <span className={styles.dotted}>
        <StateDot state={instance.state} />
        <strong>{t(`monitor.state.${instance.state}`)}</strong>
      </span>
      <span className="num">
        {instance.host}:{instance.port}
        {instance.tls ? " · TLS" : ""}
      </span>
      {server?.version && (
        <span className="num">
          {engine} {server.version}
        </span>
      )}
      {(sample?.role ?? server?.role) && <span>{roleName(sample?.role ?? server?.role ?? "", t)}</span>}
      {instance.running && <span className="num">{t("monitor.seconds", { count: instance.interval })}</span>}
      {instance.state === "unreachable" && (
        <span className={styles.bad} role="status">
          {instance.error ?? t("monitor.unreachableSince", { time: formatTime(instance.last_sample_at) })}
        </span>
      )}
    </span>
  );
}

export function Controls({ instance, range, onRange }: { instance: Instance; range: Range; onRange: (range: Range) => void }) {
  const { t } = useTranslation();
  const { start, stop } = useMonitorCommands();
  const [interval, setInterval] = useState(instance.interval);
  const error = start.error ?? stop.error;
  return (
    <>
      <div className={styles.bar}>
        <SegmentedControl
          size="xs"
          value={range}
          onChange={(value) => onRange(value)}
          data={(Object.keys(ranges) as Range[]).map((value) => ({ value, label: t(`monitor.ranges.${value}`) }))}
          aria-label={t("monitor.range")}
        />
        <div className={styles.controls}>
          <NumberInput
            className={styles.interval}
            size="xs"
            aria-label={t("monitor.interval")}
            suffix={t("monitor.secondsUnit")}
            min={1}
            max={60}
            clampBehavior="strict"
            allowDecimal={false}
            value={interval}
            onChange={(value) => setInterval(typeof value === "number" ? value : instance.interval)}
          />
          {instance.running && interval !== instance.interval && (
            <Button size="xs" variant="default" loading={start.isPending} onClick={() => start.mutate({ instance: instance.id, interval })}>
              {t("monitor.apply")}
            </Button>
          )}
          {instance.running ? (
            <Button size="xs" variant="default" leftSection={<Square size={13} />} loading={stop.isPending} onClick={() => stop.mutate(instance.id)}>
              {t("monitor.stop")}
            </Button>
          ) : (
            <Button
              size="xs"
              variant="default"
              leftSection={<Play size={13} />}
              loading={start.isPending}
              onClick={() => start.mutate({ instance: instance.id, interval })}
            >
              {t("monitor.start")}
            </Button>
          )}
          <AnalyzeNow instance={instance} />
          <MoreActions instance={instance} />
        </div>
      </div>
      {error && <ErrorState error={error} inline />}
    </>
  );
}

function AnalyzeNow({ instance }: { instance: Instance }) {
  const { t } = useTranslation();
  const lang = useLang();
  const navigate = useNavigate();
  const { analyzeNow } = useAnalyzeCommands();
  return (
    <>
      <Button
        size="xs"
        leftSection={<Stethoscope size={14} />}
        loading={analyzeNow.isPending}
        onClick={() => analyzeNow.mutate({ instance: instance.id, lang }, { onSuccess: (analysis) => void navigate(`/analyze/${analysis.id}`) })}
      >
        {t("monitor.analyzeNow")}
      </Button>
      {analyzeNow.error && <ErrorState error={analyzeNow.error} inline />}
    </>
  );
}

function MoreActions({ instance }: { instance: Instance }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const { disconnect, stopDemo } = useMonitorCommands();
  const command = instance.demo ? stopDemo : disconnect;
  const leave = () => {
    // The page of this server is gone before the reply is here, so the promise is waited for, not the component.
    const done = instance.demo ? stopDemo.mutateAsync() : disconnect.mutateAsync(instance.id);
    void done.then(() => navigate(instance.demo ? "/start" : "/monitor"), () => undefined);
  };
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="default" size={30} aria-label={t("monitor.actions", { name: instance.name })}>
            <MoreHorizontal size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<Unplug size={14} />} onClick={() => setAsking(true)}>
            {instance.demo ? t("demo.leave") : t("monitor.disconnect")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={t("monitor.disconnectTitle", { name: instance.name })}
        closeButtonProps={{ "aria-label": t("common.close") }}
      >
        <div className={styles.form}>
          <p>{t("monitor.disconnectBody")}</p>
          {command.error && <ErrorState error={command.error} inline />}
          <Button color="red" loading={command.isPending} onClick={leave}>
            {instance.demo ? t("demo.leave") : t("monitor.disconnect")}
          </Button>
        </div>
      </Modal>
    </>
  );
}

export function DetailsFold({ instance }: { instance: Instance }) {
  const { t } = useTranslation();
  if (!instance.capabilities || instance.capabilities.length === 0) return null;
  return (
    <Fold title={t("monitor.details")}>
      <CapabilityTable capabilities={instance.capabilities} />
    </Fold>
  );
}
