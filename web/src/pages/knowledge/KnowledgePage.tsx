// The list of entries. Filters are in the address: ?q= ?category= ?severity= ?tag=
import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { Download, Plus, Upload } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { useEntries, useKnowledgeCommands } from "../../api/knowledge";
import { entryCategories, entrySeverities, type Entry } from "../../api/types";
import { PlainBadge, SeverityBadge } from "../../components/badges";
import { Page } from "../../components/Panel";
import { EmptyState, ErrorState, QueryView } from "../../components/states";
import { downloadJson } from "../../lib/download";
import { textIn } from "../../lib/entry-form";
import { oneOf } from "../../lib/params";
import { useLang } from "../../state/lang";
import { ImportDialog } from "./ImportDialog";
import styles from "./knowledge.module.css";

export default function KnowledgePage() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const filter = {
    q: params.get("q") ?? undefined,
    tag: params.get("tag") ?? undefined,
    category: oneOf(params.get("category"), entryCategories),
    severity: oneOf(params.get("severity"), entrySeverities),
  };
  const entries = useEntries(filter);
  const shown = entries.data?.pages.flatMap((page) => page.entries) ?? [];
  const total = entries.data?.pages.at(-1)?.total ?? 0;
  const setFilter = (name: string, value: string | null) =>
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const filtered = params.size > (params.has("lang") ? 1 : 0);
  return (
    <Page title={t("nav.knowledge")} actions={<Actions />}>
      <Filters key={params.get("q") === null ? "none" : "some"} filter={filter} onFilter={setFilter} />
      <QueryView query={entries} lines={8}>
        {() => (
          <>
            <div className={`${styles.status} num`} role="status">
              {shown.length < total ? t("knowledge.shown", { count: total, shown: shown.length }) : t("knowledge.total", { count: total })}
              {filter.tag && <PlainBadge>{`#${filter.tag}`}</PlainBadge>}
              {filtered && (
                <Button size="compact-xs" variant="subtle" onClick={() => setParams({})}>
                  {t("knowledge.clearFilter")}
                </Button>
              )}
            </div>
            {shown.length > 0 ? (
              <EntryTable entries={shown} onTag={(tag) => setFilter("tag", tag)} />
            ) : filtered ? (
              <EmptyState title={t("knowledge.noMatch")} />
            ) : (
              <EmptyState title={t("knowledge.empty")} hint={t("knowledge.emptyHint")} />
            )}
            {entries.isFetchNextPageError && <ErrorState error={entries.error} inline />}
            {entries.hasNextPage && (
              <Button variant="default" fullWidth loading={entries.isFetchingNextPage} onClick={() => void entries.fetchNextPage()}>
                {t("common.more")}
              </Button>
            )}
          </>
        )}
      </QueryView>
    </Page>
  );
}

function Actions() {
  const { t } = useTranslation();
  const [importing, setImporting] = useState(false);
  const { exportAll } = useKnowledgeCommands();
  return (
    <>
      <Button size="xs" variant="default" leftSection={<Upload size={14} />} onClick={() => setImporting(true)}>
        {t("knowledge.import")}
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<Download size={14} />}
        loading={exportAll.isPending}
        onClick={() => exportAll.mutate(undefined, { onSuccess: (file) => downloadJson("redoubt-knowledge.json", file) })}
      >
        {t("knowledge.export")}
      </Button>
      <Button size="xs" component={Link} to="/knowledge/new" leftSection={<Plus size={14} />}>
        {t("knowledge.add")}
      </Button>
      {exportAll.error && <ErrorState error={exportAll.error} inline />}
      <ImportDialog opened={importing} onClose={() => setImporting(false)} />
    </>
  );
}

interface FilterProps {
  filter: { q?: string | undefined; category?: string | undefined; severity?: string | undefined };
  onFilter: (name: string, value: string | null) => void;
}

function Filters({ filter, onFilter }: FilterProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(filter.q ?? "");
  const apply = useDebouncedCallback((value: string) => onFilter("q", value.trim() || null), 250);
  return (
    <div className={styles.filters} role="search">
      <TextInput
        aria-label={t("knowledge.filterText")}
        placeholder={t("knowledge.filterText")}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          apply(event.currentTarget.value);
        }}
      />
      <Select
        aria-label={t("knowledge.fields.category")}
        placeholder={t("knowledge.fields.category")}
        data={entryCategories.map((value) => ({ value, label: t(`category.${value}`) }))}
        value={filter.category ?? null}
        onChange={(value) => onFilter("category", value)}
        clearable
        clearButtonProps={{ "aria-label": t("knowledge.clearFilter") }}
      />
      <Select
        aria-label={t("knowledge.fields.severity")}
        placeholder={t("knowledge.fields.severity")}
        data={entrySeverities.map((value) => ({ value, label: t(`severity.${value}`) }))}
        value={filter.severity ?? null}
        onChange={(value) => onFilter("severity", value)}
        clearable
        clearButtonProps={{ "aria-label": t("knowledge.clearFilter") }}
      />
    </div>
  );
}

function EntryTable({ entries, onTag }: { entries: readonly Entry[]; onTag: (tag: string) => void }) {
  const { t } = useTranslation();
  const lang = useLang();
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            {(["title", "category", "severity", "source"] as const).map((column) => (
              <th key={column} scope="col">
                {t(`knowledge.columns.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id} data-entry={entry.id}>
              <td>
                <Link to={`/knowledge/${entry.id}`}>{textIn(entry.title, lang)}</Link>
                <div className={styles.sub}>
                  <code>{entry.id}</code>
                  {entry.tags.slice(0, 5).map((tag) => (
                    <button key={tag} type="button" className={styles.tag} onClick={() => onTag(tag)}>
                      #{tag}
                    </button>
                  ))}
                </div>
              </td>
              <td className={styles.nowrap}>{t(`category.${entry.category}`)}</td>
              <td>
                <SeverityBadge severity={entry.severity} />
              </td>
              <td className={styles.nowrap}>
                {t(`knowledge.source.${entry.source}`)}
                {entry.conflict && <div className={styles.conflict}>{t("knowledge.conflict")}</div>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
