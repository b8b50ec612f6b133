import { Button, FileButton, Select, Textarea } from "@mantine/core";
import { useState, type DragEvent, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";
import { useAnalyzeCommands } from "../../api/analysis";
import { useStatus } from "../../api/monitor";
import { useSession } from "../../api/session";
import { Panel } from "../../components/Panel";
import { ErrorState } from "../../components/states";
import { decodeLog } from "../../lib/decode";
import { formatBytes } from "../../lib/format";
import { parseMetricsInput } from "../../lib/metrics-input";
import { rememberInput } from "../../state/inputs";
import { useLang } from "../../state/lang";
import { sampleLog } from "../start/sample";
import styles from "./analyze.module.css";

const kDefaultMaxLog = 8_000_000;

export function InputForm() {
  const { t } = useTranslation();
  const lang = useLang();
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const [log, setLog] = useState("");
  const [metricsText, setMetricsText] = useState("");
  const [instance, setInstance] = useState<string | null>(params.get("instance"));
  const [checked, setChecked] = useState(false);
  const { analyze } = useAnalyzeCommands();
  const metrics = parseMetricsInput(metricsText);
  const isEmpty = log.trim() === "" && metrics.ok && metrics.fields === 0;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (!metrics.ok || isEmpty) return;
    analyze.mutate(
      { log_text: log, metrics: metrics.metrics, lang, ...(instance ? { instance } : {}) },
      {
        onSuccess: (analysis) => {
          rememberInput(analysis.id, log);
          void navigate(`/analyze/${analysis.id}`);
        },
      },
    );
  };

  return (
    <Panel>
      <form className={styles.form} onSubmit={submit}>
        <LogInput log={log} onLog={setLog} />
        <Textarea
          className={styles.mono}
          label={t("analyze.metrics")}
          description={t("analyze.metricsHint")}
          placeholder={"used_memory:1073742104\nmaxmemory:1073741824"}
          value={metricsText}
          onChange={(event) => setMetricsText(event.currentTarget.value)}
          error={metrics.ok ? false : t("analyze.metricsBad", { line: metrics.line })}
          autosize
          minRows={4}
          maxRows={12}
          spellCheck={false}
        />
        {metrics.ok && metrics.fields > 0 && <small className="muted num">{t("analyze.metricsCount", { count: metrics.fields })}</small>}
        {checked && isEmpty && (
          <p role="alert" style={{ color: "var(--rd-critical)" }}>
            {t("analyze.empty")}
          </p>
        )}
        {analyze.error && <ErrorState error={analyze.error} inline />}
        <div className={styles.submit}>
          <InstanceSelect value={instance} onChange={setInstance} />
          <Button type="submit" loading={analyze.isPending}>
            {t("analyze.submit")}
          </Button>
        </div>
      </form>
    </Panel>
  );
}

function InstanceSelect({ value, onChange }: { value: string | null; onChange: (value: string | null) => void }) {
  const { t } = useTranslation();
  const status = useStatus();
  const instances = status.data?.instances ?? [];
  if (instances.length === 0) return null;
  return (
    <Select
      label={t("analyze.instance")}
      placeholder={t("analyze.noInstanceChosen")}
      data={instances.map((instance) => ({ value: instance.id, label: instance.name }))}
      value={value}
      onChange={onChange}
      clearable
      clearButtonProps={{ "aria-label": t("analyze.clear") }}
    />
  );
}

function LogInput({ log, onLog }: { log: string; onLog: (log: string) => void }) {
  const { t } = useTranslation();
  const session = useSession();
  const limit = session.data?.limits.max_log_bytes ?? kDefaultMaxLog;
  const [dropping, setDropping] = useState(false);
  const [note, setNote] = useState("");

  const read = async (file: File | null | undefined) => {
    if (!file) return;
    if (file.size > limit) {
      setNote(t("analyze.tooLarge", { limit: formatBytes(limit) }));
      return;
    }
    const { text, encoding } = decodeLog(new Uint8Array(await file.arrayBuffer()));
    onLog(text);
    setNote(t("analyze.read", { name: file.name, size: formatBytes(file.size), encoding: t(`analyze.encodings.${encoding}`) }));
  };
  const drag = (on: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setDropping(on);
  };

  return (
    <>
      <div
        className={`${styles.drop} ${dropping ? styles.dropping : ""}`}
        data-hint={t("analyze.drop")}
        onDragOver={drag(true)}
        onDragLeave={drag(false)}
        onDrop={(event) => {
          drag(false)(event);
          void read(event.dataTransfer.files[0]);
        }}
      >
        <Textarea
          className={styles.mono}
          label={t("analyze.log")}
          placeholder={t("analyze.logPlaceholder")}
          value={log}
          onChange={(event) => onLog(event.currentTarget.value)}
          autosize
          minRows={10}
          maxRows={22}
          spellCheck={false}
        />
      </div>
      <div className={styles.tools}>
        <FileButton onChange={(file) => void read(file)} accept=".log,.txt,.info,text/*">
          {(props) => (
            <Button {...props} size="xs" variant="default">
              {t("analyze.chooseFile")}
            </Button>
          )}
        </FileButton>
        <Button size="xs" variant="subtle" onClick={() => onLog(sampleLog)}>
          {t("analyze.sample")}
        </Button>
        {log !== "" && (
          <Button size="xs" variant="subtle" color="gray" onClick={() => onLog("")}>
            {t("analyze.clear")}
          </Button>
        )}
        <small role="status">{note}</small>
      </div>
    </>
  );
}
