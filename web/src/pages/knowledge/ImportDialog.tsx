import { Button, FileButton, Modal, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useKnowledgeCommands } from "../../api/knowledge";
import type { BulkImportReply } from "../../api/types";
import { ErrorState } from "../../components/states";
import { readImport } from "../../lib/entry-form";
import styles from "./knowledge.module.css";

type Conflict = "skip" | "overwrite";

export function ImportDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={onClose} title={t("knowledge.importTitle")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <ImportForm />
    </Modal>
  );
}

function ImportForm() {
  const { t } = useTranslation();
  const [entries, setEntries] = useState<Record<string, never>[] | null>(null);
  const [bad, setBad] = useState(false);
  const [conflict, setConflict] = useState<Conflict>("skip");
  const { importAll } = useKnowledgeCommands();
  const read = async (file: File | null) => {
    if (!file) return;
    const found = readImport(await file.text());
    setEntries(found);
    setBad(found === null);
    importAll.reset();
  };
  return (
    <div className={styles.form}>
      <p className="muted">{t("knowledge.importLead")}</p>
      <FileButton onChange={(file) => void read(file)} accept=".json,application/json">
        {(props) => (
          <Button {...props} variant="default">
            {t("knowledge.importChoose")}
          </Button>
        )}
      </FileButton>
      {bad && (
        <p role="alert" style={{ color: "var(--rd-critical)" }}>
          {t("knowledge.importBad")}
        </p>
      )}
      <div role="group" aria-label={t("knowledge.onConflict")}>
        <p className="muted">{t("knowledge.onConflict")}</p>
        <SegmentedControl
          value={conflict}
          onChange={(value) => setConflict(value)}
          data={[
            { value: "skip", label: t("knowledge.skip") },
            { value: "overwrite", label: t("knowledge.overwrite") },
          ]}
        />
      </div>
      {importAll.error && <ErrorState error={importAll.error} inline />}
      {importAll.data && <Report reply={importAll.data} />}
      {entries && (
        <Button loading={importAll.isPending} onClick={() => importAll.mutate({ entries, on_conflict: conflict })}>
          {t("knowledge.importGo", { count: entries.length })}
        </Button>
      )}
    </div>
  );
}

function Report({ reply }: { reply: BulkImportReply }) {
  const { t } = useTranslation();
  const { created, updated, skipped, failed } = reply;
  const notable = reply.results.filter((item) => item.status === "failed" || item.error);
  return (
    <div role="status">
      <p className="num">{t("knowledge.importDone", { created, updated, skipped, failed })}</p>
      {notable.length > 0 && (
        <ul>
          {notable.map((item) => (
            <li key={item.index}>
              <code>{item.id ?? `#${item.index}`}</code> {t(`knowledge.itemStatus.${item.status}`)} {item.error}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
