import { Button, Checkbox, Modal, PasswordInput, Switch, Textarea, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useMonitorCommands } from "../../api/monitor";
import type { ConnectReply } from "../../api/types";
import { CommandLine } from "../../components/Copy";
import { ErrorState } from "../../components/states";
import { buildConnectRequest, checkConnectForm, emptyConnectForm, type ConnectForm } from "../../lib/connect-form";
import { CapabilityTable } from "./Capabilities";
import styles from "./monitor.module.css";

interface Props {
  opened: boolean;
  onClose: () => void;
  onShow: (instance: string) => void;
}

export function ConnectDialog({ opened, onClose, onShow }: Props) {
  const { t } = useTranslation();
  const [reply, setReply] = useState<ConnectReply | null>(null);
  const close = () => {
    setReply(null);
    onClose();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      size="lg"
      title={reply ? t("connect.done", { name: reply.name }) : t("connect.title")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      {reply ? (
        <Connected
          reply={reply}
          onGo={() => {
            setReply(null);
            onShow(reply.instance);
          }}
        />
      ) : (
        <Form onDone={setReply} />
      )}
    </Modal>
  );
}

function Form({ onDone }: { onDone: (reply: ConnectReply) => void }) {
  const { t } = useTranslation();
  const { connect, start } = useMonitorCommands();
  const [form, setForm] = useState<ConnectForm>(emptyConnectForm);
  const [checked, setChecked] = useState(false);
  const problem = checkConnectForm(form);
  const set = <K extends keyof ConnectForm>(field: K) => (value: ConnectForm[K]) => setForm((old) => ({ ...old, [field]: value }));

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (problem !== null) return;
    connect.mutate(buildConnectRequest(form), {
      onSuccess: (reply) => {
        start.mutate({ instance: reply.instance, interval: 5 });
        onDone(reply);
      },
    });
  };

  return (
    <form className={styles.form} onSubmit={submit} noValidate>
      <p className="muted">{t("connect.lead")}</p>
      <div className={styles.row}>
        <TextInput
          label={t("connect.host")}
          value={form.host}
          onChange={(e) => set("host")(e.currentTarget.value)}
          error={checked && problem === "needHost" && t("connect.needHost")}
          autoComplete="off"
          data-autofocus
          required
        />
        <TextInput
          label={t("connect.port")}
          value={form.port}
          onChange={(e) => set("port")(e.currentTarget.value)}
          error={checked && problem === "badPort" && t("connect.badPort")}
          inputMode="numeric"
          required
        />
      </div>
      <div className={styles.pair}>
        <TextInput
          label={t("connect.username")}
          placeholder={t("connect.usernamePlaceholder")}
          value={form.username}
          onChange={(e) => set("username")(e.currentTarget.value)}
          autoComplete="off"
        />
        <PasswordInput
          label={t("connect.password")}
          value={form.password}
          onChange={(e) => set("password")(e.currentTarget.value)}
          autoComplete="new-password"
        />
      </div>
      <TextInput
        label={t("connect.name")}
        placeholder={t("connect.namePlaceholder")}
        value={form.name}
        onChange={(e) => set("name")(e.currentTarget.value)}
        autoComplete="off"
      />
      <Switch label={t("connect.tls")} description={t("connect.tlsHint")} checked={form.tls} onChange={(e) => set("tls")(e.currentTarget.checked)} />
      {form.tls && <TlsFields form={form} set={set} />}
      <Checkbox
        label={t("connect.faults")}
        description={t("connect.faultsHint")}
        checked={form.testFaults}
        onChange={(e) => set("testFaults")(e.currentTarget.checked)}
      />
      {connect.error && <ErrorState error={connect.error} inline />}
      <Button type="submit" loading={connect.isPending}>
        {t("connect.submit")}
      </Button>
    </form>
  );
}

interface TlsProps {
  form: ConnectForm;
  set: <K extends keyof ConnectForm>(field: K) => (value: ConnectForm[K]) => void;
}

function TlsFields({ form, set }: TlsProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.tls}>
      <TextInput
        label={t("connect.serverName")}
        value={form.serverName}
        onChange={(e) => set("serverName")(e.currentTarget.value)}
        placeholder={form.host}
        autoComplete="off"
      />
      {(["ca", "cert", "key"] as const).map((field) => (
        <Textarea
          key={field}
          className={styles.mono}
          label={t(`connect.${field}`)}
          description={field === "ca" ? t("connect.pemHint") : undefined}
          value={form[field]}
          onChange={(e) => set(field)(e.currentTarget.value)}
          autosize
          minRows={1}
          maxRows={5}
          spellCheck={false}
        />
      ))}
      <Checkbox
        label={t("connect.insecure")}
        description={t("connect.insecureHint")}
        checked={form.insecure}
        onChange={(e) => set("insecure")(e.currentTarget.checked)}
      />
    </div>
  );
}

function Connected({ reply, onGo }: { reply: ConnectReply; onGo: () => void }) {
  const { t } = useTranslation();
  return (
    <div className={styles.form}>
      <p role="status">{reply.message}</p>
      {reply.test_faults_reason && <p className={styles.warn}>{t("connect.faultsRefused", { reason: reply.test_faults_reason })}</p>}
      <CapabilityTable capabilities={reply.capabilities} />
      <div>
        <strong>{t("connect.acl")}</strong>
        <p className="muted">{t("connect.aclHint")}</p>
      </div>
      <CommandLine text={reply.acl} />
      <Button onClick={onGo} data-autofocus>
        {t("connect.go")}
      </Button>
    </div>
  );
}
