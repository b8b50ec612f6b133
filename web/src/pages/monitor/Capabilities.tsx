import { useTranslation } from "react-i18next";
import type { Capability } from "../../api/types";
import styles from "./monitor.module.css";

export function CapabilityTable({ capabilities }: { capabilities: readonly Capability[] }) {
  const { t } = useTranslation();
  return (
    <table className={styles.caps}>
      <thead>
        <tr>
          <th scope="col">{t("connect.capability")}</th>
          <th scope="col">{t("connect.stateOf")}</th>
          <th scope="col">{t("connect.costs")}</th>
        </tr>
      </thead>
      <tbody>
        {capabilities.map((capability) => (
          <tr key={capability.name}>
            <td>
              <code>{capability.name}</code>
            </td>
            <td className={styles[capability.state]}>{t(`connect.${capability.state}`)}</td>
            <td>{capability.costs.length === 0 ? "–" : capability.costs.join(", ")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
