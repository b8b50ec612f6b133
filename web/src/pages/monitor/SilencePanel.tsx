// The parts of the alert panel that make alerts quiet: a menu on each alert, and the list of what is quiet.
import { Button, Menu } from "@mantine/core";
import { BellOff } from "lucide-react";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSilenceCommands, useSilences } from "../../api/alert-settings";
import type { Alert, Instance } from "../../api/types";
import { ErrorState, QueryView } from "../../components/states";
import { useNow } from "../../state/now";
import { buildSilenceNews, buildSilenceRows, silenceHours, type SilenceLength, type SilenceRow } from "./build-silences";
import styles from "./monitor.module.css";

interface MenuProps {
  alert: Alert;
  message: string;
  onSilence: (alert: Alert, length: SilenceLength) => void;
}

export function SilenceMenu({ alert, message, onSilence }: MenuProps) {
  const { t } = useTranslation();
  return (
    <Menu position="bottom-start" withinPortal>
      <Menu.Target>
        <Button size="compact-xs" variant="default" leftSection={<BellOff size={12} />} aria-label={t("silence.of", { message })}>
          {t("silence.add")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("silence.howLong")}</Menu.Label>
        {(Object.keys(silenceHours) as SilenceLength[]).map((length) => (
          <Menu.Item key={length} onClick={() => onSilence(alert, length)}>
            {t(`silence.lengths.${length}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

// `adding` is the panel's own command, so that what the menu did is told in one place.
export function SilenceList({ instance, adding }: { instance: Instance; adding: ReturnType<typeof useSilenceCommands>["add"] }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const silences = useSilences(instance.id);
  const { end } = useSilenceCommands();
  const heading = useRef<HTMLHeadingElement>(null);
  const news = buildSilenceNews(adding, end, now, t);
  return (
    <section className={styles.silences} aria-labelledby="silences">
      <h3 id="silences" ref={heading} tabIndex={-1}>
        {t("silence.title")}
      </h3>
      <p className="visually-hidden" role="status">
        {news.message}
      </p>
      {news.error && <ErrorState error={news.error} inline />}
      <QueryView query={silences} lines={1}>
        {(data) => {
          const rows = buildSilenceRows(data.silences, now, t);
          if (rows.length === 0) return <p className={styles.quiet}>{t("silence.empty")}</p>;
          return (
            <ul>
              {rows.map((row) => (
                <Item
                  key={row.silence.id}
                  row={row}
                  busy={end.isPending && end.variables === row.silence.id}
                  // The button is gone afterwards; the keyboard goes on from the heading.
                  onEnd={() => end.mutate(row.silence.id, { onSuccess: () => heading.current?.focus() })}
                />
              ))}
            </ul>
          );
        }}
      </QueryView>
    </section>
  );
}

function Item({ row, busy, onEnd }: { row: SilenceRow; busy: boolean; onEnd: () => void }) {
  const { t } = useTranslation();
  return (
    <li data-silence={row.silence.rule ?? ""}>
      <div>
        <p>{row.title}</p>
        <small className="num">{row.detail}</small>
      </div>
      <Button size="compact-xs" variant="default" loading={busy} onClick={onEnd} aria-label={t("silence.endOf", { title: row.title })}>
        {t("silence.end")}
      </Button>
    </li>
  );
}
