// A diagnosis: headline, first action, do not, three strongest pieces of evidence, verify; the rest folded.
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { useAnalysis } from "../../api/analysis";
import { useStatus } from "../../api/monitor";
import type { Analysis } from "../../api/types";
import { CategoryBadge, Confidence, PlainBadge, SeverityBadge } from "../../components/badges";
import { Fold } from "../../components/Fold";
import { Panel } from "../../components/Panel";
import { QueryView } from "../../components/states";
import { recallInput } from "../../state/inputs";
import { useLang } from "../../state/lang";
import { buildMeta } from "./build-result";
import { IncidentBody, IncidentFolds } from "./IncidentView";
import { LogView } from "./LogView";
import { SimilarList } from "./SimilarList";
import styles from "./analyze.module.css";

export default function ResultPage() {
  const { id } = useParams();
  const analysis = useAnalysis(id);
  return (
    <QueryView query={analysis} lines={10}>
      {(data) => <Result analysis={data} />}
    </QueryView>
  );
}

function Result({ analysis }: { analysis: Analysis }) {
  const { t } = useTranslation();
  const log = recallInput(analysis.id);
  return (
    <article className={styles.body} data-analysis={analysis.id}>
      <title>{`${analysis.headline} · Redoubt`}</title>
      <Verdict analysis={analysis} />
      <div className={styles.result}>
        <div className={styles.body}>
          <IncidentBody incident={analysis} />
          <div>
            <IncidentFolds incident={analysis} />
            {log !== null && (
              <Fold title={t("result.log")} open>
                <LogView log={log} evidence={analysis.evidence} />
              </Fold>
            )}
            {analysis.incidents.map((incident, i) => (
              <Fold key={i} title={`${t("result.others")}: ${incident.headline}`}>
                <div className={styles.body}>
                  <IncidentBody incident={incident} />
                  <div>
                    <IncidentFolds incident={incident} />
                  </div>
                </div>
              </Fold>
            ))}
            <Fold title={t("result.similar")}>
              <SimilarList analysisId={analysis.id} />
            </Fold>
          </div>
        </div>
        <Meta analysis={analysis} hasLog={log !== null} />
      </div>
    </article>
  );
}

function Verdict({ analysis }: { analysis: Analysis }) {
  const { t } = useTranslation();
  return (
    <header className={styles.verdict}>
      <div className={styles.marks}>
        <SeverityBadge severity={analysis.severity} />
        {analysis.category !== "none" && <CategoryBadge category={analysis.category} />}
        {analysis.category !== "none" && <PlainBadge>{t(`state.${analysis.state}`)}</PlainBadge>}
        <Confidence value={analysis.confidence} />
        <code className={styles.slug} data-testid="failure-mode">
          {analysis.failure_mode}
        </code>
      </div>
      <h1>{analysis.headline}</h1>
    </header>
  );
}

function Meta({ analysis, hasLog }: { analysis: Analysis; hasLog: boolean }) {
  const { t } = useTranslation();
  const lang = useLang();
  const status = useStatus();
  const instance = status.data?.instances.find((one) => one.id === analysis.instance);
  const fromLog = analysis.evidence.some((item) => item.source === "log");
  return (
    <aside className={styles.meta} aria-label={t("result.context")}>
      <Panel>
        <dl>
          {buildMeta(analysis, instance?.name ?? null, t).map((row) => (
            <div key={row.label}>
              <dt>{row.label}</dt>
              <dd className="num">{row.value}</dd>
            </div>
          ))}
        </dl>
      </Panel>
      {analysis.lang && analysis.lang !== lang && (
        <small className="muted">{t("result.otherLang", { lang: t(`knowledge.langs.${analysis.lang}`) })}</small>
      )}
      {fromLog && !hasLog && <small className="muted">{t("result.logMissing")}</small>}
      <Button component={Link} to={analysis.instance ? `/analyze?instance=${analysis.instance}` : "/analyze"} variant="default" size="xs">
        {t("analyze.newAnalysis")}
      </Button>
    </aside>
  );
}
