import { useQueryClient } from "@tanstack/react-query";
import { ActionIcon, Menu, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { Check, Settings } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { changeLang } from "../i18n";
import type { Lang } from "../i18n/lang";
import { useLang } from "../state/lang";

const schemes = { light: "schemeLight", dark: "schemeDark", auto: "schemeAuto" } as const;

export function SettingsMenu() {
  const { t } = useTranslation();
  const lang = useLang();
  const client = useQueryClient();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [params, setParams] = useSearchParams();

  const chooseLang = async (chosen: Lang) => {
    await changeLang(chosen);
    void client.invalidateQueries();
    if (!params.has("lang")) return;
    setParams((old) => ({ ...Object.fromEntries(old), lang: chosen }), { replace: true });
  };

  return (
    <Menu width={190} position="top-start" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("app.settings")}>
          <Settings size={17} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("app.language")}</Menu.Label>
        {(["ko", "en"] as const).map((code) => (
          <Menu.Item key={code} lang={code} rightSection={code === lang && <Check size={14} />} onClick={() => void chooseLang(code)}>
            {code === "ko" ? "한국어" : "English"}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t("app.scheme")}</Menu.Label>
        {(Object.keys(schemes) as MantineColorScheme[]).map((scheme) => (
          <Menu.Item key={scheme} rightSection={scheme === colorScheme && <Check size={14} />} onClick={() => setColorScheme(scheme)}>
            {t(`app.${schemes[scheme]}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component="a" href="/docs" target="_blank" rel="noreferrer">
          {t("app.apiDocs")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
