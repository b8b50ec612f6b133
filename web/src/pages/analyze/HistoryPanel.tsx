import { Button, Select } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { useAnalyses, type HistoryFilter } from "../../api/analysis";
import { categories, severities, type AnalysisSummary } from "../../api/types";
import { CategoryBadge, SeverityBadge } from "../../components/badges";
import { Panel } from "../../components/Panel";
import { EmptyState, ErrorState, Loading } from "../../components/states";
import { formatAgo } from "../../lib/format";
import { oneOf } from "../../lib/params";
import { useLang } from "../../state/lang";
import { useNow } from "../../state/now";
import styles from "./analyze.module.css";

export function HistoryPanel() {
  const { t } = useTranslation();
  const [params, setParams] = useSearchParams();
  const filter: HistoryFilter = { severity: oneOf(params.get("severity"), severities), category: oneOf(params.get("category"), categories) };
  const setFilter = (name: string) => (value: string | null) =>
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  return (
    <Panel title={t("analyze.history")}>
      <div className={styles.filters}>
        <Select
          size="xs"
          clearable
          clearButtonProps={{ "aria-label": t("knowledge.clearFilter") }}
          aria-label={t("analyze.filterSeverity")}
          placeholder={t("analyze.filterSeverity")}
          data={severities.map((value) => ({ value, label: t(`severity.${value}`) }))}
          value={filter.severity ?? null}
          onChange={setFilter("severity")}
        />
        <Select
          size="xs"
          clearable
          clearButtonProps={{ "aria-label": t("knowledge.clearFilter") }}
          aria-label={t("analyze.filterCategory")}
          placeholder={t("analyze.filterCategory")}
          data={categories.map((value) => ({ value, label: t(`category.${value}`) }))}
          value={filter.category ?? null}
          onChange={setFilter("category")}
        />
      </div>
      <HistoryList filter={filter} />
    </Panel>
  );
}

function HistoryList({ filter }: { filter: HistoryFilter }) {
  const { t } = useTranslation();
  const analyses = useAnalyses(filter);
  if (analyses.isPending) return <Loading lines={5} />;
  if (analyses.error) return <ErrorState error={analyses.error} onRetry={() => void analyses.refetch()} />;
  const rows = analyses.data.pages.flatMap((page) => page.analyses);
  if (rows.length === 0) {
    const filtered = filter.severity !== undefined || filter.category !== undefined;
    return filtered ? (
      <EmptyState compact title={t("analyze.historyNoMatch")} />
    ) : (
      <EmptyState compact title={t("analyze.historyEmpty")} hint={t("analyze.historyEmptyHint")} />
    );
  }
  return (
    <>
      <ul className={styles.history}>
        {rows.map((row) => (
          <HistoryRow key={row.id} row={row} />
        ))}
      </ul>
      {analyses.hasNextPage && (
        <Button size="xs" variant="default" fullWidth loading={analyses.isFetchingNextPage} onClick={() => void analyses.fetchNextPage()}>
          {t("common.more")}
        </Button>
      )}
    </>
  );
}

function HistoryRow({ row }: { row: AnalysisSummary }) {
  const lang = useLang();
  const now = useNow(30_000);
  return (
    <li>
      <Link to={`/analyze/${row.id}`}>
        <strong>{row.headline}</strong>
        <span className={styles.marks}>
          <SeverityBadge severity={row.severity} />
          {row.category !== "none" && <CategoryBadge category={row.category} />}
          <span className="num">
            {Math.round(row.confidence * 100)} % · {formatAgo(row.created_at, now, lang)}
          </span>
        </span>
      </Link>
    </li>
  );
}
