import { splitText } from "../lib/rich-text";
import styles from "./rich-text.module.css";

export function RichText({ text }: { text: string }) {
  return splitText(text).map((part, i) => {
    switch (part.kind) {
      case "text":
        return <span key={i}>{part.text}</span>;
      case "code":
        return <code key={i}>{part.text}</code>;
      case "cite":
        return (
          <a key={i} className={`${styles.cite} num`} href={`#evidence-${part.n}`}>
            [{part.n}]
          </a>
        );
    }
  });
}
