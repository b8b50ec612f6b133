import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { setRequestLanguage } from "../api/client";
import { en } from "./en";
import { ko, type Texts } from "./ko";
import { chooseLang, isLang, type Lang } from "./lang";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: Texts };
  }
}

const kStored = "redoubt.lang";

export async function startI18n(): Promise<void> {
  const query = new URLSearchParams(window.location.search).get("lang");
  const lng = chooseLang(query, localStorage.getItem(kStored), navigator.languages);
  i18next.on("languageChanged", (lang) => {
    document.documentElement.lang = lang;
    setRequestLanguage(lang);
  });
  await i18next.use(initReactI18next).init({
    lng,
    fallbackLng: "ko",
    resources: { ko: { translation: ko }, en: { translation: en } },
    interpolation: { escapeValue: false },
  });
}

export function currentLang(): Lang {
  return isLang(i18next.language) ? i18next.language : "ko";
}

export async function changeLang(lang: Lang): Promise<void> {
  localStorage.setItem(kStored, lang);
  await i18next.changeLanguage(lang);
}
