import { useTranslation } from "react-i18next";
import type { Sample } from "../../api/types";
import { Panel } from "../../components/Panel";
import { useLang } from "../../state/lang";
import { buildFacts, type Fact } from "./build-facts";
import styles from "./monitor.module.css";

export function FactsPanels({ sample }: { sample: Sample | undefined }) {
  const { t } = useTranslation();
  const lang = useLang();
  if (!sample) {
    return (
      <Panel title={t("monitor.facts.server")}>
        <p className="muted">{t("monitor.facts.none")}</p>
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
