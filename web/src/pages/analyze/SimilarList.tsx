import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useSimilar } from "../../api/analysis";
import { SeverityBadge } from "../../components/badges";
import { QueryView } from "../../components/states";
import { formatTime } from "../../lib/format";
import styles from "./analyze.module.css";

export function SimilarList({ analysisId }: { analysisId: string }) {
  const { t } = useTranslation();
  const similar = useSimilar(analysisId);
  return (
    <QueryView query={similar} lines={2}>
      {({ results }) => {
        const others = results.filter((hit) => hit.id !== analysisId);
        if (others.length === 0) return <p className="muted">{t("result.similarEmpty")}</p>;
        return (
          <ul className={styles.links}>
            {others.map((hit) => (
              <li key={hit.id}>
                <span className={styles.marks}>
                  <SeverityBadge severity={hit.severity} />
                  <Link to={`/analyze/${hit.id}`}>{hit.headline}</Link>
                </span>
                <small className="num">
                  {formatTime(hit.created_at)} · {hit.why}
                </small>
              </li>
            ))}
          </ul>
        );
      }}
    </QueryView>
  );
}
