import { ActionIcon } from "@mantine/core";
import { Check, Copy, X } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { copyText } from "../lib/clipboard";
import styles from "./copy.module.css";

type State = "idle" | "copied" | "failed";

export function CopyButton({ text }: { text: string }) {
  const { t } = useTranslation();
  const [state, setState] = useState<State>("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 2500);
    return () => clearTimeout(timer);
  }, [state]);
  const icons = { idle: <Copy size={15} />, copied: <Check size={15} />, failed: <X size={15} /> };
  const words = { idle: "", copied: t("common.copied"), failed: t("common.copyFailed") };
  return (
    <>
      <ActionIcon
        className={styles.copy}
        variant="subtle"
        color={state === "failed" ? "red" : "gray"}
        aria-label={`${t("common.copy")}: ${text}`}
        title={words[state] || t("common.copy")}
        onClick={() => void copyText(text).then((done) => setState(done ? "copied" : "failed"))}
      >
        {icons[state]}
      </ActionIcon>
      <span className="visually-hidden" role="status">
        {words[state]}
      </span>
    </>
  );
}

export function CommandLine({ text }: { text: string }) {
  return (
    <div className={styles.command}>
      <pre>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} />
    </div>
  );
}
