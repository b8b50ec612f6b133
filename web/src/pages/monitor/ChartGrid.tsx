import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useThresholds } from "../../api/alert-settings";
import { useHistory } from "../../api/monitor";
import type { Instance, Sample } from "../../api/types";
import { Chart } from "../../components/Chart";
import { ErrorState, Loading } from "../../components/states";
import { formatClock } from "../../lib/format";
import { emptyTable, windowOf } from "../../lib/series";
import { useLang } from "../../state/lang";
import { useNow } from "../../state/now";
import { buildCharts, formatOf, ranges, type ChartCard, type Range } from "./build-charts";
import styles from "./monitor.module.css";

interface Props {
  instance: Instance;
  sample: Sample | undefined;
  range: Range;
}

export function ChartGrid({ instance, sample, range }: Props) {
  const { t } = useTranslation();
  const lang = useLang();
  const rangeMs = ranges[range] * 60_000;
  const history = useHistory(instance.id, rangeMs);
  const rules = useThresholds(instance.id).data?.rules;
  const now = useNow(1000);
  const cards = useMemo(
    () => (history.data ? buildCharts({ table: history.data, sample, instance, range, lang, rules: rules ?? [] }, t) : null),
    [history.data, sample, instance, range, lang, rules, t],
  );
  if (cards === null) {
    return history.error ? <ErrorState error={history.error} onRetry={() => void history.refetch()} /> : <Loading lines={8} />;
  }
  const { from, to } = windowOf(history.data ?? emptyTable(), rangeMs, now);
  return (
    <div className={styles.charts}>
      {cards.map((card) => (
        <Card key={card.metric} card={card} from={from / 1000} to={to / 1000} />
      ))}
    </div>
  );
}

function Card({ card, from, to }: { card: ChartCard; from: number; to: number }) {
  const lang = useLang();
  const [hover, setHover] = useState<{ at: number; value: number | null } | null>(null);
  const format = useMemo(() => formatOf(card.metric, lang), [card.metric, lang]);
  const onHover = useCallback((point: { at: number; value: number | null } | null) => {
    setHover((old) => (old?.at === point?.at ? old : point));
  }, []);
  return (
    <section className={styles.card} aria-label={card.title} data-metric={card.metric}>
      <div className={styles.cardHead}>
        <h2>{card.title}</h2>
        <span className={`${styles.now} num`}>{hover ? format(hover.value) : card.now}</span>
        <span className={`${styles.detail} num`}>{hover ? formatClock(hover.at) : card.detail}</span>
      </div>
      <Chart
        plot={card.plot}
        from={from}
        to={to}
        max={card.max}
        thresholds={card.thresholds}
        label={card.label}
        empty={card.empty}
        format={(value) => (card.max === 100 ? `${value}` : format(value))}
        onHover={onHover}
      />
    </section>
  );
}
