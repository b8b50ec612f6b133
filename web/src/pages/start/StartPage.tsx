import { Button, Textarea } from "@mantine/core";
import { ClipboardList, FlaskConical, PlugZap } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { useAnalyzeCommands } from "../../api/analysis";
import { useMonitorCommands, useStatus } from "../../api/monitor";
import { useSession } from "../../api/session";
import { ErrorState } from "../../components/states";
import { rememberInput } from "../../state/inputs";
import { useLang } from "../../state/lang";
import { useStory } from "../../state/story";
import { markStarted } from "../../state/visit";
import { sampleLog } from "./sample";
import styles from "./start.module.css";

export default function StartPage() {
  const { t } = useTranslation();
  const session = useSession();
  const llm = session.data?.llm;
  return (
    <div style={{ display: "grid", gap: "1.5rem" }}>
      <title>{`${t("nav.start")} · Redoubt`}</title>
      <header className={styles.hero}>
        <h1>{t("start.title")}</h1>
        <p>{t("start.lead")}</p>
      </header>
      <div className={styles.ways}>
        <DemoWay available={session.data?.demo_available ?? true} />
        <ConnectWay />
        <PasteWay />
      </div>
      <p className="muted">{llm ? t("start.localLlm", { llm }) : t("start.local")}</p>
    </div>
  );
}

function DemoWay({ available }: { available: boolean }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const story = useStory();
  const { startDemo } = useMonitorCommands();
  const onlyStart = () => {
    markStarted();
    startDemo.mutate(undefined, {
      onSuccess: (demo) => void navigate(`/monitor?instance=${encodeURIComponent(demo.instance ?? "")}&range=m5`),
    });
  };
  const error = story.error ?? startDemo.error;
  return (
    <section className={styles.way}>
      <h2>
        <FlaskConical size={18} aria-hidden="true" />
        {t("start.demoTitle")}
      </h2>
      <p>{t("start.demoBody")}</p>
      {!available && <p>{t("start.demoMissing")}</p>}
      {error != null && <ErrorState error={error} inline />}
      <div className={styles.actions}>
        <Button onClick={story.run} loading={story.step === "starting"} disabled={!available}>
          {t("start.demoRun")}
        </Button>
        <Button variant="default" onClick={onlyStart} loading={startDemo.isPending} disabled={!available}>
          {t("start.demoOnly")}
        </Button>
      </div>
    </section>
  );
}

function ConnectWay() {
  const { t } = useTranslation();
  const status = useStatus();
  const count = status.data?.instances.length ?? 0;
  return (
    <section className={styles.way}>
      <h2>
        <PlugZap size={18} aria-hidden="true" />
        {t("start.connectTitle")}
      </h2>
      <p>{t("start.connectBody")}</p>
      <div className={styles.actions}>
        <Button component={Link} to="/monitor?connect=1" onClick={markStarted}>
          {t("start.connectGo")}
        </Button>
        {count > 0 && (
          <Button variant="default" component={Link} to="/monitor" onClick={markStarted}>
            {t("start.connected", { count })}
          </Button>
        )}
      </div>
    </section>
  );
}

function PasteWay() {
  const { t } = useTranslation();
  const lang = useLang();
  const navigate = useNavigate();
  const { analyze } = useAnalyzeCommands();
  const [log, setLog] = useState(sampleLog);
  const submit = () => {
    markStarted();
    analyze.mutate(
      { log_text: log, lang },
      {
        onSuccess: (analysis) => {
          rememberInput(analysis.id, log);
          void navigate(`/analyze/${analysis.id}`);
        },
      },
    );
  };
  return (
    <section className={`${styles.way} ${styles.wide}`}>
      <h2>
        <ClipboardList size={18} aria-hidden="true" />
        {t("start.pasteTitle")}
      </h2>
      <p>{t("start.pasteBody")}</p>
      <Textarea
        aria-label={t("start.pasteLabel")}
        value={log}
        onChange={(event) => setLog(event.currentTarget.value)}
        autosize
        minRows={6}
        maxRows={12}
        spellCheck={false}
      />
      {analyze.error && <ErrorState error={analyze.error} inline />}
      <div className={styles.actions}>
        <Button onClick={submit} loading={analyze.isPending} disabled={log.trim() === ""}>
          {t("start.pasteRun")}
        </Button>
      </div>
    </section>
  );
}
