import { Button, Select, Textarea, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import { useKnowledgeCommands, useWrittenEntry } from "../../api/knowledge";
import { categories, severities, type Entry } from "../../api/types";
import { Fold } from "../../components/Fold";
import { Page, Panel } from "../../components/Panel";
import { ErrorState, QueryView } from "../../components/states";
import { languages } from "../../i18n/lang";
import { emptyEntryForm, engineFields, listFields, toForm, toInput, type EntryForm, type FormProblem, type LocalForm } from "../../lib/entry-form";
import styles from "./knowledge.module.css";

export default function EntryEditPage() {
  const { id } = useParams();
  const { t } = useTranslation();
  const entry = useWrittenEntry(id);
  if (id === undefined) {
    return (
      <Page title={t("knowledge.newTitle")}>
        <EntryEditor initial={emptyEntryForm()} entry={null} />
      </Page>
    );
  }
  return (
    <Page title={t("knowledge.editTitle")}>
      <QueryView query={entry} lines={10}>
        {(data) => <EntryEditor key={data.id} initial={toForm(data)} entry={data} />}
      </QueryView>
    </Page>
  );
}

function EntryEditor({ initial, entry }: { initial: EntryForm; entry: Entry | null }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [form, setForm] = useState(initial);
  const [problem, setProblem] = useState<FormProblem | null>(null);
  const { create, update } = useKnowledgeCommands();
  const change = (part: Partial<EntryForm>) => setForm((old) => ({ ...old, ...part }));
  const back = entry ? `/knowledge/${entry.id}` : "/knowledge";

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const result = toInput(form);
    setProblem(result.ok ? null : result.problem);
    if (!result.ok) return;
    const done = { onSuccess: (saved: Entry) => void navigate(`/knowledge/${saved.id}`) };
    if (entry) update.mutate({ id: entry.id, body: result.input }, done);
    else create.mutate(result.input, done);
  };

  return (
    <form className={styles.form} onSubmit={submit} noValidate>
      <Panel>
        <div className={styles.form}>
          <BasicFields form={form} change={change} fixedId={entry !== null} />
          <LocalFields
            label={t("knowledge.fields.title")}
            value={form.title}
            error={problem?.field === "title" ? t("knowledge.needTitle") : undefined}
            onChange={(title) => change({ title })}
          />
          {listFields.map((field) => (
            <LocalFields
              key={field}
              label={t(`knowledge.fields.${field}`)}
              hint={t("knowledge.linePer")}
              multiline
              value={form.lists[field]}
              onChange={(value) => change({ lists: { ...form.lists, [field]: value } })}
            />
          ))}
          <TextInput
            label={t("knowledge.fields.related_metrics")}
            description={t("knowledge.commaSeparated")}
            value={form.relatedMetrics}
            onChange={(e) => change({ relatedMetrics: e.currentTarget.value })}
          />
          <TextInput
            label={t("knowledge.fields.tags")}
            description={t("knowledge.commaSeparated")}
            value={form.tags}
            onChange={(e) => change({ tags: e.currentTarget.value })}
          />
        </div>
      </Panel>
      <EngineFields form={form} change={change} problem={problem} />
      {(create.error ?? update.error) && <ErrorState error={create.error ?? update.error} inline />}
      <div className={styles.buttons}>
        <Button type="submit" loading={create.isPending || update.isPending}>
          {t("common.save")}
        </Button>
        <Button variant="default" component={Link} to={back}>
          {t("common.cancel")}
        </Button>
      </div>
    </form>
  );
}

interface PartProps {
  form: EntryForm;
  change: (part: Partial<EntryForm>) => void;
}

function BasicFields({ form, change, fixedId }: PartProps & { fixedId: boolean }) {
  const { t } = useTranslation();
  return (
    <div className={styles.row}>
      <TextInput
        label={t("knowledge.fields.id")}
        description={fixedId ? undefined : t("knowledge.idHint")}
        inputWrapperOrder={["label", "input", "description", "error"]}
        value={form.id}
        readOnly={fixedId}
        onChange={(e) => change({ id: e.currentTarget.value })}
      />
      <Select
        label={t("knowledge.fields.category")}
        data={categories.map((value) => ({ value, label: t(`category.${value}`) }))}
        value={form.category}
        onChange={(value) => value && change({ category: value })}
      />
      <Select
        label={t("knowledge.fields.severity")}
        data={severities.map((value) => ({ value, label: t(`severity.${value}`) }))}
        value={form.severity}
        onChange={(value) => value && change({ severity: value })}
      />
    </div>
  );
}

interface LocalProps {
  label: string;
  hint?: string;
  error?: string | undefined;
  multiline?: boolean;
  value: LocalForm;
  onChange: (value: LocalForm) => void;
}

function LocalFields({ label, hint, error, multiline, value, onChange }: LocalProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.langs} role="group" aria-label={label}>
      {languages.map((lang) => {
        const shared = {
          label: `${label} · ${t(`knowledge.langs.${lang}`)}`,
          error: error ?? false,
          value: value[lang],
          lang,
        };
        return multiline ? (
          <Textarea
            key={lang}
            {...shared}
            description={hint}
            autosize
            minRows={2}
            maxRows={12}
            onChange={(e) => onChange({ ...value, [lang]: e.currentTarget.value })}
          />
        ) : (
          <TextInput key={lang} {...shared} onChange={(e) => onChange({ ...value, [lang]: e.currentTarget.value })} />
        );
      })}
    </div>
  );
}

function EngineFields({ form, change, problem }: PartProps & { problem: FormProblem | null }) {
  const { t } = useTranslation();
  const broken = problem !== null && problem.field !== "title";
  return (
    <Fold title={t("knowledge.advanced")} open={broken}>
      <div className={styles.form}>
        <p className="muted">{t("knowledge.advancedHint")}</p>
        {engineFields.map((field) => (
          <Textarea
            key={field}
            className={styles.mono}
            label={t(`knowledge.fields.${field}`)}
            value={form.engine[field]}
            onChange={(e) => change({ engine: { ...form.engine, [field]: e.currentTarget.value } })}
            error={problem?.field === field ? t("knowledge.badJson", { reason: problem.reason }) : false}
            autosize
            minRows={3}
            maxRows={20}
            spellCheck={false}
          />
        ))}
      </div>
    </Fold>
  );
}
