// The form of one rule's thresholds at one server. An empty field stands for the default, which it shows.
import { Button, Modal, NumberInput, Switch } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useThresholdCommands } from "../../api/alert-settings";
import type { Instance, ThresholdCondition, ThresholdRule } from "../../api/types";
import { ErrorState } from "../../components/states";
import { useLang } from "../../state/lang";
import { formatThreshold, formOf, labelOf, numberOf, settingOf, unitOf, type Typed } from "./build-thresholds";
import styles from "./thresholds.module.css";

const longestHold = 86_400;

export function ThresholdDialog({ instance, rule, onClose }: { instance: Instance; rule: ThresholdRule; onClose: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState(() => formOf(rule));
  const { set } = useThresholdCommands(instance.id);
  const save = (event: FormEvent) => {
    event.preventDefault();
    set.mutate({ rule: rule.rule, setting: settingOf(form) }, { onSuccess: onClose });
  };
  const hold = Math.max(...rule.conditions.map((condition) => condition.default_hold_s));
  return (
    <Modal opened onClose={onClose} title={t("threshold.dialog", { title: rule.title, name: instance.name })} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form className={styles.form} onSubmit={save}>
        <p className="muted">{rule.description}</p>
        {rule.conditions.map((condition) =>
          condition.settable ? (
            <Field
              key={condition.name}
              rule={rule}
              condition={condition}
              value={form.values[condition.name] ?? null}
              disabled={!form.enabled}
              onChange={(value) => setForm((old) => ({ ...old, values: { ...old.values, [condition.name]: value } }))}
            />
          ) : null,
        )}
        <NumberInput
          label={t("threshold.hold")}
          description={t("threshold.holdHint")}
          suffix={unitOf("seconds", useLang())}
          min={0}
          max={longestHold}
          allowDecimal={false}
          placeholder={t("threshold.defaultIs", { value: t("threshold.seconds", { count: hold }) })}
          disabled={!form.enabled}
          value={form.hold ?? ""}
          onChange={(value) => setForm((old) => ({ ...old, hold: value }))}
        />
        <Switch
          label={t("threshold.enabled")}
          description={t("threshold.enabledHint")}
          checked={form.enabled}
          onChange={(event) => {
            const enabled = event.currentTarget.checked;
            setForm((old) => ({ ...old, enabled }));
          }}
        />
        {set.error && <ErrorState error={set.error} inline />}
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button type="submit" loading={set.isPending}>
            {t("threshold.save")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

interface FieldProps {
  rule: ThresholdRule;
  condition: ThresholdCondition;
  value: Typed;
  disabled: boolean;
  onChange: (value: Typed) => void;
}

function Field({ rule, condition, value, disabled, onChange }: FieldProps) {
  const { t } = useTranslation();
  const lang = useLang();
  const number = numberOf(value);
  const usual = formatThreshold(condition.default_threshold, condition.format, lang);
  return (
    <NumberInput
      label={t("threshold.value", { severity: labelOf(condition, rule, t) })}
      description={number === null || condition.format !== "bytes" ? undefined : formatThreshold(number, "bytes", lang)}
      suffix={unitOf(condition.format, lang)}
      min={0}
      allowNegative={false}
      thousandSeparator=","
      placeholder={t("threshold.defaultIs", { value: usual })}
      disabled={disabled}
      value={value ?? ""}
      onChange={onChange}
    />
  );
}
