import { Button } from "@mantine/core";
import { Check, Circle, LoaderCircle } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useMonitorCommands } from "../../api/monitor";
import type { Instance } from "../../api/types";
import { ErrorState } from "../../components/states";
import { storySteps } from "../../lib/story";
import { useStory } from "../../state/story";
import styles from "./monitor.module.css";

// On the demo server: what it is for, or how far SC-001 has come.
export function StoryBanner({ instance }: { instance: Instance }) {
  const { t } = useTranslation();
  const story = useStory();
  if (!instance.demo) return null;
  const running = story.step !== null && story.instance === instance.id;
  return (
    <section className={styles.story} aria-label={t("demo.running")}>
      <div className={styles.storyHead}>
        <strong>{running ? t("demo.running") : t("demo.banner")}</strong>
        {running ? (
          <Button size="xs" variant="default" onClick={story.stop}>
            {t("common.cancel")}
          </Button>
        ) : (
          <Idle />
        )}
      </div>
      {running && <Steps />}
      {running && story.late && <p role="status">{t("demo.timeout")}</p>}
      {story.error != null && <ErrorState error={story.error} inline />}
    </section>
  );
}

function Idle() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const story = useStory();
  const { stopDemo } = useMonitorCommands();
  // The page of this server is gone before the reply is here, so the promise is waited for, not the component.
  const leave = () => void stopDemo.mutateAsync().then(() => navigate("/start"), () => undefined);
  return (
    <span className={styles.storyHead}>
      <Button size="xs" onClick={story.run} loading={story.step === "starting"}>
        {t("demo.run")}
      </Button>
      <Button size="xs" variant="default" loading={stopDemo.isPending} onClick={leave}>
        {t("demo.leave")}
      </Button>
    </span>
  );
}

function Steps() {
  const { t } = useTranslation();
  const { step } = useStory();
  const at = step === null ? -1 : storySteps.indexOf(step);
  return (
    <ol className={styles.steps} aria-live="polite">
      {storySteps.map((name, i) => (
        <li key={name} aria-current={i === at ? "step" : undefined}>
          {i < at ? <Check size={14} aria-hidden="true" /> : i === at ? <LoaderCircle size={14} aria-hidden="true" /> : <Circle size={12} aria-hidden="true" />}
          {t(`demo.${name}`)}
        </li>
      ))}
    </ol>
  );
}
