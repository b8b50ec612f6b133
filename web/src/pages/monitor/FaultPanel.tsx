import { Button, Modal, NumberInput, TextInput } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/error";
import { useFault, useFaultPanel, type FaultRequest } from "../../api/monitor";
import type { Fault, FaultPanel as FaultPanelData, Instance } from "../../api/types";
import { Panel } from "../../components/Panel";
import { EmptyState, ErrorState, QueryView } from "../../components/states";
import { formatMoment } from "../../lib/format";
import styles from "./monitor.module.css";

export function FaultPanel({ instance }: { instance: Instance }) {
  const { t } = useTranslation();
  const panel = useFaultPanel(instance.id);
  return (
    <Panel title={t("monitor.fault.title")}>
      <QueryView query={panel} lines={3}>
        {(data) =>
          // Granted, though a condition may speak against it now: that one can be overridden.
          data.allowed || instance.test_faults ? (
            <Faults instance={instance} panel={data} />
          ) : (
            <EmptyState compact title={t("monitor.fault.denied")} hint={data.reason ?? ""} />
          )
        }
      </QueryView>
    </Panel>
  );
}

function Faults({ instance, panel }: { instance: Instance; panel: FaultPanelData }) {
  const { t } = useTranslation();
  const fault = useFault();
  const [count, setCount] = useState<number | undefined>();
  const [refused, setRefused] = useState<FaultRequest | null>(null);
  const send = (request: FaultRequest) =>
    fault.mutate(request, {
      onError: (error) => setRefused(isOverridable(error) && request.kind !== "cleanup" ? request : null),
    });
  const id = instance.id;
  const pending = (kind: FaultRequest["kind"]) => fault.isPending && fault.variables.kind === kind;
  return (
    <div className={styles.faults}>
      <p className="muted">{t("monitor.fault.lead")}</p>
      {!panel.allowed && panel.reason && <p className={styles.warn}>{panel.reason}</p>}
      <Row title={t("monitor.fault.fill")} hint={t("monitor.fault.fillHint")}>
        <Button size="xs" variant="default" loading={pending("fill-memory")} onClick={() => send({ kind: "fill-memory", instance: id })}>
          {t("monitor.fault.fill")}
        </Button>
      </Row>
      <Row title={t("monitor.fault.connections")} hint={t("monitor.fault.connectionsHint")}>
        <NumberInput
          size="xs"
          w={84}
          min={1}
          max={panel.limits.many_connections_max ?? 20000}
          placeholder={String(panel.limits.many_connections_max ?? "")}
          aria-label={t("monitor.fault.count")}
          value={count ?? ""}
          onChange={(value) => setCount(typeof value === "number" ? value : undefined)}
        />
        <Button
          size="xs"
          variant="default"
          loading={pending("many-connections")}
          onClick={() => send({ kind: "many-connections", instance: id, count })}
        >
          {t("monitor.fault.connections")}
        </Button>
      </Row>
      <Row title={t("monitor.fault.slow")} hint={t("monitor.fault.slowHint")}>
        <Button size="xs" variant="default" loading={pending("slow-query")} onClick={() => send({ kind: "slow-query", instance: id })}>
          {t("monitor.fault.slow")}
        </Button>
      </Row>
      {panel.faults.slice(0, 3).map((one) => (
        <Running key={one.kind + one.started_at} fault={one} />
      ))}
      {fault.data && (
        <p className={styles.running} role="status">
          {fault.data.message}
        </p>
      )}
      {fault.error && <ErrorState error={fault.error} inline />}
      <Row title={t("monitor.fault.cleanup")} hint={t("monitor.fault.cleanupHint")}>
        <Button size="xs" loading={pending("cleanup")} onClick={() => send({ kind: "cleanup", instance: id })}>
          {t("monitor.fault.cleanup")}
        </Button>
      </Row>
      <Override instance={instance} request={refused} error={fault.error} onClose={() => setRefused(null)} onSend={send} />
    </div>
  );
}

const overridable = ["no_maxmemory", "foreign_keys", "has_replicas", "other_clients"];

function isOverridable(error: unknown): boolean {
  return error instanceof ApiError && overridable.includes(error.code);
}

function Row({ title, hint, children }: { title: string; hint: string; children: ReactNode }) {
  return (
    <div className={styles.fault} role="group" aria-label={title}>
      <small>{hint}</small>
      <div style={{ display: "flex", gap: "0.375rem" }}>{children}</div>
    </div>
  );
}

function Running({ fault }: { fault: Fault }) {
  const { t } = useTranslation();
  const titles = { "fill-memory": "fill", "many-connections": "connections", "slow-query": "slow" } as const;
  const percent = Math.round((fault.progress ?? 0) * 100);
  return (
    <div className={styles.running} data-fault={fault.kind} data-state={fault.state}>
      <strong>{t(`monitor.fault.${titles[fault.kind]}`)}</strong> · {t(`monitor.fault.${fault.state}`)}
      {fault.message !== "" && <small>{fault.message}</small>}
      {fault.state !== "cleaned" && fault.ends_at && <small>{t("monitor.fault.ends", { time: formatMoment(fault.ends_at, Date.parse(fault.started_at)) })}</small>}
      {fault.state === "running" && (
        <div
          className={styles.progress}
          role="progressbar"
          aria-label={t(`monitor.fault.${titles[fault.kind]}`)}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={percent}
        >
          <div style={{ width: `${percent}%` }} />
        </div>
      )}
    </div>
  );
}

interface OverrideProps {
  instance: Instance;
  request: FaultRequest | null;
  error: unknown;
  onClose: () => void;
  onSend: (request: FaultRequest) => void;
}

// A refused fault may be forced by typing the server's name.
function Override({ instance, request, error, onClose, onSend }: OverrideProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  return (
    <Modal opened={request !== null} onClose={onClose} title={t("monitor.fault.confirmTitle")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <div className={styles.form}>
        {error != null && <ErrorState error={error} inline />}
        <TextInput
          label={t("monitor.fault.confirmLabel", { name: instance.name })}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Button
          color="red"
          disabled={typed !== instance.name}
          onClick={() => {
            if (!request) return;
            onClose();
            onSend({ ...request, confirm: typed });
          }}
        >
          {t("monitor.fault.confirmGo")}
        </Button>
      </div>
    </Modal>
  );
}
