import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { Instance, Sample } from "../../api/types";
import { Panel } from "../../components/Panel";
import { formatTime } from "../../lib/format";
import { useLang } from "../../state/lang";
import { buildFacts, type Fact } from "./build-facts";
import styles from "./monitor.module.css";

export function FactsPanels({ sample, instance }: { sample: Sample | undefined; instance: Instance }) {
  const { t } = useTranslation();
  const lang = useLang();
  if (!sample?.reachable) {
    return (
      <Panel title={t("monitor.facts.server")}>
        <p className="muted">{whyNone(instance, t)}</p>
      </Panel>
    );
  }
  const facts = buildFacts(sample, lang, t);
  return (
    <>
      <Panel title={t("monitor.facts.server")}>
        <FactList facts={facts.server} />
      </Panel>
      <Panel title={t("monitor.facts.persistence")}>
        <FactList facts={facts.persistence} />
      </Panel>
    </>
  );
}

function whyNone(instance: Instance, t: TFunction): string {
  if (instance.state === "unreachable") return t("monitor.unreachableSince", { time: formatTime(instance.last_sample_at) });
  return instance.running ? t("monitor.empty.waiting") : t("monitor.facts.none");
}

function FactList({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map((fact) => (
        <div key={fact.label}>
          <dt>{fact.label}</dt>
          <dd className={`num ${fact.tone ? styles[fact.tone] : ""}`}>{fact.value}</dd>
        </div>
      ))}
    </dl>
  );
}
