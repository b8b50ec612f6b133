// The thresholds of one server: what the rules say by default, what applies here, and a form for each rule.
import { Button, Modal } from "@mantine/core";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useThresholdCommands, useThresholds } from "../../api/alert-settings";
import type { Instance, ThresholdRule } from "../../api/types";
import { Fold } from "../../components/Fold";
import { EmptyState, ErrorState, QueryView } from "../../components/states";
import { useLang } from "../../state/lang";
import { buildThresholdRows, countChanged, type Limit, type ThresholdRow } from "./build-thresholds";
import { ThresholdDialog } from "./ThresholdDialog";
import styles from "./thresholds.module.css";

export function ThresholdFold({ instance }: { instance: Instance }) {
  const { t } = useTranslation();
  const thresholds = useThresholds(instance.id);
  const changed = countChanged(thresholds.data?.rules ?? []);
  return (
    <Fold title={changed > 0 ? t("threshold.titleChanged", { count: changed }) : t("threshold.title")}>
      <QueryView query={thresholds} lines={6}>
        {(data) =>
          data.rules.length > 0 ? (
            <Rules instance={instance} rules={data.rules} />
          ) : (
            <EmptyState compact title={t("threshold.empty")} hint={t("threshold.emptyHint")} />
          )
        }
      </QueryView>
    </Fold>
  );
}

function Rules({ instance, rules }: { instance: Instance; rules: readonly ThresholdRule[] }) {
  const { t } = useTranslation();
  const lang = useLang();
  const [editing, setEditing] = useState<ThresholdRule | null>(null);
  const [askingAll, setAskingAll] = useState(false);
  const { reset } = useThresholdCommands(instance.id);
  return (
    <>
      <div className={styles.head}>
        <p className="muted">{t("threshold.lead", { name: instance.name })}</p>
        <Button size="compact-xs" variant="default" disabled={countChanged(rules) === 0} onClick={() => setAskingAll(true)}>
          {t("threshold.resetAll")}
        </Button>
      </div>
      <p className="visually-hidden" role="status">
        {reset.isSuccess ? t("threshold.resetDone") : ""}
      </p>
      {reset.error && <ErrorState error={reset.error} inline />}
      <table className={styles.table} aria-label={t("threshold.title")}>
        <thead>
          <tr>
            <th scope="col">{t("threshold.rule")}</th>
            <th scope="col">{t("threshold.default")}</th>
            <th scope="col">{t("threshold.yours")}</th>
            <th scope="col">
              <span className="visually-hidden">{t("threshold.actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {buildThresholdRows(rules, lang, t).map((row) => (
            <Row
              key={row.rule.rule}
              row={row}
              busy={reset.isPending && reset.variables === row.rule.rule}
              onEdit={() => setEditing(row.rule)}
              onReset={(then) => reset.mutate(row.rule.rule, { onSuccess: then })}
            />
          ))}
        </tbody>
      </table>
      {editing && <ThresholdDialog instance={instance} rule={editing} onClose={() => setEditing(null)} />}
      <Modal
        opened={askingAll}
        onClose={() => setAskingAll(false)}
        title={t("threshold.resetAllTitle", { name: instance.name })}
        closeButtonProps={{ "aria-label": t("common.close") }}
      >
        <div className={styles.form}>
          <p>{t("threshold.resetAllBody", { count: countChanged(rules) })}</p>
          {reset.error && <ErrorState error={reset.error} inline />}
          <Button loading={reset.isPending} onClick={() => reset.mutate(undefined, { onSuccess: () => setAskingAll(false) })}>
            {t("threshold.resetAll")}
          </Button>
        </div>
      </Modal>
    </>
  );
}

interface RowProps {
  row: ThresholdRow;
  busy: boolean;
  onEdit: () => void;
  onReset: (then: () => void) => void;
}

function Row({ row, busy, onEdit, onReset }: RowProps) {
  const { t } = useTranslation();
  const edit = useRef<HTMLButtonElement>(null);
  const { rule } = row;
  return (
    <tr data-rule={rule.rule} data-changed={rule.changed}>
      <th scope="row">
        {rule.title}
        <small>{rule.description}</small>
      </th>
      <td data-label={t("threshold.default")}>
        <Limits list={row.defaults} />
      </td>
      <td data-label={t("threshold.yours")}>
        {rule.changed ? <Limits list={row.yours} /> : <span className="muted">{t("threshold.same")}</span>}
      </td>
      <td>
        <div className={styles.actions}>
          <Button ref={edit} size="compact-xs" variant="default" onClick={onEdit} aria-label={t("threshold.editOf", { title: rule.title })}>
            {t("threshold.edit")}
          </Button>
          {rule.changed && (
            <Button
              size="compact-xs"
              variant="default"
              loading={busy}
              // The button is gone afterwards; the keyboard goes on from its neighbour.
              onClick={() => onReset(() => edit.current?.focus())}
              aria-label={t("threshold.resetOf", { title: rule.title })}
            >
              {t("threshold.reset")}
            </Button>
          )}
        </div>
      </td>
    </tr>
  );
}

function Limits({ list }: { list: readonly Limit[] }) {
  return (
    <ul className={`${styles.limits} num`}>
      {list.map((limit) => (
        <li key={limit.name} className={limit.changed ? styles.changed : undefined}>
          {limit.text}
        </li>
      ))}
    </ul>
  );
}
