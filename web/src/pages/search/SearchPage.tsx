// Retrieval over the knowledge base. ?q= and ?category= are the whole state.
import { Button, Select, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { useSearch } from "../../api/knowledge";
import { entryCategories } from "../../api/types";
import { CategoryBadge, SeverityBadge } from "../../components/badges";
import { Page } from "../../components/Panel";
import { RichText } from "../../components/RichText";
import { EmptyState, QueryView } from "../../components/states";
import { oneOf } from "../../lib/params";
import { useLang } from "../../state/lang";
import { buildHits, type HitRow } from "./build-hits";
import styles from "./search.module.css";

const examples = ["example1", "example2", "example3", "example4"] as const;

export default function SearchPage() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const query = params.get("q") ?? "";
  const category = params.get("category");
  const search = (q: string, within: string | null) => setParams({ ...(q ? { q } : {}), ...(within ? { category: within } : {}) });
  return (
    <Page title={t("nav.search")} lead={t("search.lead")}>
      <SearchForm key={query} query={query} category={category} onSearch={search} />
      {query === "" ? <Examples onPick={(q) => search(q, category)} /> : <Results query={query} category={category} />}
    </Page>
  );
}

interface FormProps {
  query: string;
  category: string | null;
  onSearch: (query: string, category: string | null) => void;
}

function SearchForm({ query, category, onSearch }: FormProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(query);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSearch(text.trim(), category);
  };
  return (
    <form className={styles.form} onSubmit={submit} role="search">
      <TextInput
        type="search"
        label={t("search.label")}
        placeholder={t("search.placeholder")}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        maxLength={4000}
      />
      <Select
        label={t("knowledge.fields.category")}
        placeholder={t("common.all")}
        data={entryCategories.map((value) => ({ value, label: t(`category.${value}`) }))}
        value={category}
        onChange={(value) => onSearch(text.trim(), value)}
        clearable
        clearButtonProps={{ "aria-label": t("knowledge.clearFilter") }}
      />
      <Button type="submit">{t("search.submit")}</Button>
    </form>
  );
}

function Examples({ onPick }: { onPick: (query: string) => void }) {
  const { t } = useTranslation();
  return (
    <section className={styles.examples}>
      <h2>{t("search.examples")}</h2>
      {examples.map((key) => (
        <Button key={key} size="xs" variant="default" onClick={() => onPick(t(`search.${key}`))}>
          {t(`search.${key}`)}
        </Button>
      ))}
    </section>
  );
}

function Results({ query, category }: { query: string; category: string | null }) {
  const { t } = useTranslation();
  const lang = useLang();
  const reply = useSearch(query, lang, oneOf(category, entryCategories));
  return (
    <QueryView query={reply} lines={6}>
      {(data) =>
        data.results.length === 0 ? (
          <EmptyState title={t("search.empty")} hint={t("search.emptyHint")} />
        ) : (
          <section>
            <p className="muted num" style={{ marginBottom: "0.5rem" }} role="status">
              {t("search.took", { count: data.results.length, ms: data.took_ms.toFixed(1) })}
              {data.embedding_model === null && ` · ${t("search.keywordOnly")}`}
            </p>
            <ol className={styles.results}>
              {buildHits(data.results).map((row) => (
                <Hit key={row.hit.id} row={row} />
              ))}
            </ol>
          </section>
        )
      }
    </QueryView>
  );
}

function Hit({ row }: { row: HitRow }) {
  const { t } = useTranslation();
  const { hit, share } = row;
  return (
    <li data-entry={hit.id}>
      <div className={styles.hit}>
        <Link to={`/knowledge/${hit.id}`}>{hit.title}</Link>
        {hit.snippet && (
          <p className="muted">
            <RichText text={hit.snippet} />
          </p>
        )}
        <span className={styles.marks}>
          <SeverityBadge severity={hit.severity} />
          <CategoryBadge category={hit.category} />
          <code>{hit.id}</code>
          <span>{hit.why}</span>
        </span>
      </div>
      <div className={`${styles.match} num`}>
        <span>
          {t("search.match")} {hit.score.toFixed(2)}
        </span>
        <div className={styles.track}>
          <div style={{ width: `${Math.round(share * 100)}%` }} />
        </div>
      </div>
    </li>
  );
}
