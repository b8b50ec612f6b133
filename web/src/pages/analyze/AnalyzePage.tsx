import { Page } from "../../components/Panel";
import { useTranslation } from "react-i18next";
import { HistoryPanel } from "./HistoryPanel";
import { InputForm } from "./InputForm";
import styles from "./analyze.module.css";

// Log and metrics in, diagnosis out; the history beside it. Filters of the history are in the address.
export default function AnalyzePage() {
  const { t } = useTranslation();
  return (
    <Page title={t("nav.analyze")} lead={t("analyze.lead")}>
      <div className={styles.split}>
        <InputForm />
        <HistoryPanel />
      </div>
    </Page>
  );
}
