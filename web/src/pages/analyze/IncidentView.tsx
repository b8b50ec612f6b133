// The parts of one incident. IncidentBody is what everyone must see, IncidentFolds what one opens.
import { ArrowRight, Ban } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Command, EvidenceItem, Incident } from "../../api/types";
import { Confidence, PlainBadge, RiskBadge } from "../../components/badges";
import { CommandLine } from "../../components/Copy";
import { RichText } from "../../components/RichText";
import { Fold } from "../../components/Fold";
import { useLang } from "../../state/lang";
import { buildEvidence, strongestEvidence } from "./build-result";
import styles from "./analyze.module.css";

export function IncidentBody({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const strongest = strongestEvidence(incident);
  return (
    <>
      {incident.first_action !== "" && (
        <section className={styles.first} aria-label={t("result.firstAction")}>
          <h2>{t("result.firstAction")}</h2>
          <p>
            <RichText text={incident.first_action} />
          </p>
        </section>
      )}
      {incident.do_not.length > 0 && (
        <section className={styles.section} aria-label={t("result.doNot")}>
          <h2>{t("result.doNot")}</h2>
          <ul className={styles.donts}>
            {incident.do_not.map((item) => (
              <li key={item.action}>
                <Ban size={15} aria-hidden="true" />
                <span>
                  <strong>
                    <RichText text={item.action} />
                  </strong>{" "}
                  <span className="muted">
                    <RichText text={item.why} />
                  </span>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section className={styles.section} aria-label={t("result.evidence")}>
        <h2>{t("result.evidence")}</h2>
        {strongest.length > 0 ? <EvidenceList items={strongest} /> : <p className="muted">{t("result.noEvidence")}</p>}
      </section>
      {incident.verify.length > 0 && (
        <section className={styles.section} aria-label={t("result.verify")}>
          <h2>{t("result.verify")}</h2>
          <div className={styles.verify}>
            {incident.verify.map((item) => (
              <div key={item.cmd + item.expect}>
                <CommandLine text={item.cmd} />
                <p>
                  {t("result.expect")}: <RichText text={item.expect} />
                </p>
              </div>
            ))}
          </div>
        </section>
      )}
    </>
  );
}

export function IncidentFolds({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  return (
    <>
      {incident.commands.length > 0 && (
        <Fold title={t("result.commands")} count={incident.commands.length}>
          <ul className={styles.commands}>
            {incident.commands.map((command) => (
              <CommandItem key={command.cmd} command={command} />
            ))}
          </ul>
        </Fold>
      )}
      <Cause incident={incident} />
      {incident.immediate_actions.length > 0 && (
        <Fold title={t("result.immediate")} count={incident.immediate_actions.length}>
          <Bullets texts={incident.immediate_actions} />
        </Fold>
      )}
      {incident.steps.length > 0 && (
        <Fold title={t("result.steps")} count={incident.steps.length}>
          <Steps incident={incident} />
        </Fold>
      )}
      {incident.prevention.length > 0 && (
        <Fold title={t("result.prevention")} count={incident.prevention.length}>
          <Bullets texts={incident.prevention} />
        </Fold>
      )}
      {incident.evidence.length > 0 && (
        <Fold title={t("result.allEvidence")} count={incident.evidence.length}>
          <EvidenceList items={incident.evidence} anchors />
        </Fold>
      )}
      {incident.alternatives.length > 0 && (
        <Fold title={t("result.alternatives")} count={incident.alternatives.length}>
          <Alternatives incident={incident} />
        </Fold>
      )}
      {incident.knowledge.length > 0 && (
        <Fold title={t("result.knowledge")} count={incident.knowledge.length}>
          <ul className={styles.links}>
            {incident.knowledge.map((hit) => (
              <li key={hit.id} data-knowledge={hit.id}>
                <Link to={`/knowledge/${hit.id}`}>{hit.title}</Link>
                <small className="num">
                  {hit.id} · {t("common.score", { score: hit.score.toFixed(2) })} · {hit.why}
                </small>
              </li>
            ))}
          </ul>
        </Fold>
      )}
      {incident.not_seen.length > 0 && (
        <Fold title={t("result.notSeen")} count={incident.not_seen.length}>
          <Bullets texts={incident.not_seen} />
        </Fold>
      )}
    </>
  );
}

function Cause({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  return (
    <Fold title={t("result.rootCause")}>
      {incident.chain.length > 1 && (
        <ol className={styles.chain} aria-label={t("result.chain")}>
          {incident.chain.map((link, i) => (
            <li key={link.failure_mode}>
              {i > 0 && <ArrowRight size={14} aria-hidden="true" />}
              <code>{link.failure_mode}</code>
              {link.at && <small className="muted num">{link.at}</small>}
            </li>
          ))}
        </ol>
      )}
      <p>
        <RichText text={incident.root_cause} />
      </p>
      <p className="muted" style={{ marginTop: "0.5rem" }}>
        <RichText text={incident.summary} />
      </p>
      {incident.escalate_if && (
        <p style={{ marginTop: "0.5rem" }}>
          <strong>{t("result.escalate")}</strong>: <RichText text={incident.escalate_if} />
        </p>
      )}
    </Fold>
  );
}

function CommandItem({ command }: { command: Command }) {
  const { t } = useTranslation();
  return (
    <li>
      <span className={styles.marks}>
        <RiskBadge risk={command.risk} />
        <PlainBadge>{t(`where.${command.where}`)}</PlainBadge>
      </span>
      <CommandLine text={command.cmd} />
      <p>
        <RichText text={command.why} />
      </p>
      {command.check_first && (
        <p className={styles.note2}>
          <strong>{t("result.checkFirst")}</strong>: <RichText text={command.check_first} />
        </p>
      )}
      {command.undo && (
        <p className={styles.note2}>
          <strong>{t("result.undo")}</strong>: <RichText text={command.undo} />
        </p>
      )}
    </li>
  );
}

function Steps({ incident }: { incident: Incident }) {
  return (
    <ol className={styles.steps}>
      {incident.steps.map((step) => (
        <li key={step.title}>
          <div>
            <span className={styles.marks}>
              <strong>{step.title}</strong>
              <RiskBadge risk={step.risk} />
            </span>
            <p>
              <RichText text={step.detail} />
            </p>
            {step.commands.map((command) => (
              <CommandLine key={command} text={command} />
            ))}
          </div>
        </li>
      ))}
    </ol>
  );
}

function Alternatives({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  return (
    <div className={styles.alternatives}>
      {incident.alternatives.map((alternative) => (
        <div key={alternative.failure_mode} className={styles.alternative}>
          <span className={styles.marks}>
            <code>{alternative.failure_mode}</code>
            <Confidence value={alternative.confidence} />
          </span>
          <dl>
            {alternative.missing.length > 0 && (
              <>
                <dt>{t("result.missing")}</dt>
                <dd>{alternative.missing.join(", ")}</dd>
              </>
            )}
            {alternative.contradicted_by.length > 0 && (
              <>
                <dt>{t("result.contradicted")}</dt>
                <dd>{alternative.contradicted_by.join(", ")}</dd>
              </>
            )}
            <dt>{t("result.nextCheck")}</dt>
            <dd>
              <RichText text={alternative.next_check} />
            </dd>
          </dl>
        </div>
      ))}
    </div>
  );
}

function EvidenceList({ items, anchors }: { items: readonly EvidenceItem[]; anchors?: boolean }) {
  const { t } = useTranslation();
  const lang = useLang();
  return (
    <ul className={styles.evidence}>
      {buildEvidence(items, lang, t).map((row) => (
        <li key={row.n} id={anchors ? `evidence-${row.n}` : undefined} data-field={row.name ?? undefined}>
          <span className={`${styles.no} num`}>{row.n}</span>
          <span>
            {row.name !== null && <code className={styles.field}>{row.name} </code>}
            <code>{row.text}</code>
          </span>
          <PlainBadge>{t(`result.sources.${row.source}`)}</PlainBadge>
          {row.note !== "" && <span className={`${styles.note} num`}>{row.note}</span>}
        </li>
      ))}
    </ul>
  );
}

function Bullets({ texts }: { texts: readonly string[] }) {
  return (
    <ul className={styles.bullets}>
      {texts.map((text) => (
        <li key={text}>
          <RichText text={text} />
        </li>
      ))}
    </ul>
  );
}
