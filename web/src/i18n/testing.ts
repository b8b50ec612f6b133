// A translator for tests of pure build functions.
import i18next, { type TFunction } from "i18next";
import { en } from "./en";
import { ko } from "./ko";
import type { Lang } from "./lang";

export function translator(lang: Lang): TFunction {
  const instance = i18next.createInstance();
  void instance.init({ lng: lang, resources: { ko: { translation: ko }, en: { translation: en } }, interpolation: { escapeValue: false } });
  return instance.t;
}
