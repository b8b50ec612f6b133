import { Button, Modal } from "@mantine/core";
import { Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import { useEntry, useKnowledgeCommands } from "../../api/knowledge";
import type { Entry, Text } from "../../api/types";
import { CategoryBadge, PlainBadge, RiskBadge, SeverityBadge } from "../../components/badges";
import { CommandLine } from "../../components/Copy";
import { Page, Panel } from "../../components/Panel";
import { RichText } from "../../components/RichText";
import { ErrorState, QueryView } from "../../components/states";
import { listFields, textIn } from "../../lib/entry-form";
import { useLang } from "../../state/lang";
import { buildActions } from "./build-actions";
import styles from "./knowledge.module.css";

export default function EntryPage() {
  const { id } = useParams();
  const entry = useEntry(id);
  return (
    <QueryView query={entry} lines={10}>
      {(data) => <EntryView entry={data} />}
    </QueryView>
  );
}

function EntryView({ entry }: { entry: Entry }) {
  const { t } = useTranslation();
  const lang = useLang();
  const title = textIn(entry.title, lang);
  return (
    <Page title={title} actions={<EntryActions entry={entry} title={title} />}>
      <div className={styles.marks}>
        <SeverityBadge severity={entry.severity} />
        <CategoryBadge category={entry.category} />
        <code className="muted">{entry.id}</code>
        <PlainBadge>{t(`knowledge.source.${entry.source}`)}</PlainBadge>
      </div>
      {entry.conflict && (
        <p className={styles.conflict} role="status">
          {t("knowledge.conflict")}. {t("knowledge.conflictHint")}
        </p>
      )}
      <div className={styles.entry}>
        <div className={styles.sections}>
          {listFields.map((field) => (
            <Section key={field} title={t(`knowledge.fields.${field}`)} texts={entry[field]} numbered={field === "diagnosis_steps"} />
          ))}
          <Actions entry={entry} />
        </div>
        <Side entry={entry} />
      </div>
    </Page>
  );
}

function Section({ title, texts, numbered }: { title: string; texts: readonly Text[]; numbered: boolean }) {
  const { t } = useTranslation();
  const lang = useLang();
  const items = texts.map((text, i) => (
    <li key={i}>
      <RichText text={textIn(text, lang)} />
    </li>
  ));
  return (
    <section>
      <h2>{title}</h2>
      {items.length === 0 ? <p className="muted">{t("knowledge.none")}</p> : numbered ? <ol>{items}</ol> : <ul>{items}</ul>}
    </section>
  );
}

function Actions({ entry }: { entry: Entry }) {
  const { t } = useTranslation();
  const lang = useLang();
  const actions = buildActions(entry.actions, lang);
  if (actions.length === 0) return null;
  return (
    <section>
      <h2>{t("result.commands")}</h2>
      <div className={styles.actions}>
        {actions.map((action, i) => (
          <div key={i} className={styles.action}>
            <span className={styles.marks}>
              {action.risk && <RiskBadge risk={action.risk} />}
              {action.where && <PlainBadge>{t(`where.${action.where}`)}</PlainBadge>}
            </span>
            <CommandLine text={action.cmd} />
            {action.why && (
              <p>
                <RichText text={action.why} />
              </p>
            )}
            {action.checkFirst && (
              <p className="muted">
                <strong>{t("result.checkFirst")}</strong>: <RichText text={action.checkFirst} />
              </p>
            )}
            {action.undo && (
              <p className="muted">
                <strong>{t("result.undo")}</strong>: <RichText text={action.undo} />
              </p>
            )}
          </div>
        ))}
      </div>
    </section>
  );
}

function Side({ entry }: { entry: Entry }) {
  const { t } = useTranslation();
  return (
    <aside className={styles.side}>
      <Panel title={t("knowledge.fields.related_metrics")}>
        <div className={styles.chips}>
          {entry.related_metrics.length === 0 ? <span className="muted">{t("common.none")}</span> : entry.related_metrics.map((metric) => <code key={metric}>{metric}</code>)}
        </div>
      </Panel>
      <Panel title={t("knowledge.fields.tags")}>
        <div className={styles.chips}>
          {entry.tags.length === 0 ? (
            <span className="muted">{t("common.none")}</span>
          ) : (
            entry.tags.map((tag) => (
              <Link key={tag} to={`/knowledge?tag=${encodeURIComponent(tag)}`}>
                #{tag}
              </Link>
            ))
          )}
        </div>
      </Panel>
      {entry.file && <small className="muted">{entry.file}</small>}
    </aside>
  );
}

function EntryActions({ entry, title }: { entry: Entry; title: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const { remove } = useKnowledgeCommands();
  return (
    <>
      <Button size="xs" variant="default" component={Link} to={`/knowledge/${entry.id}/edit`} leftSection={<Pencil size={13} />}>
        {t("common.edit")}
      </Button>
      <Button size="xs" variant="default" leftSection={<Trash2 size={13} />} onClick={() => setAsking(true)}>
        {t("common.delete")}
      </Button>
      <Modal opened={asking} onClose={() => setAsking(false)} title={t("knowledge.deleteTitle", { title })} closeButtonProps={{ "aria-label": t("common.close") }}>
        <div className={styles.form}>
          {entry.source !== "user" && <p>{t("knowledge.deleteBody")}</p>}
          {remove.error && <ErrorState error={remove.error} inline />}
          <div className={styles.buttons}>
            <Button color="red" loading={remove.isPending} onClick={() => void remove.mutateAsync(entry.id).then(() => navigate("/knowledge"), () => undefined)}>
              {t("common.delete")}
            </Button>
            <Button variant="default" onClick={() => setAsking(false)}>
              {t("common.cancel")}
            </Button>
          </div>
        </div>
      </Modal>
    </>
  );
}
