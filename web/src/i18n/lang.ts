export const languages = ["ko", "en"] as const;
export type Lang = (typeof languages)[number];

export function isLang(value: string | null | undefined): value is Lang {
  return value === "ko" || value === "en";
}

// ?lang= wins, then the choice made before, then the browser's first known language, then Korean.
export function chooseLang(query: string | null, stored: string | null, browser: readonly string[]): Lang {
  if (isLang(query)) return query;
  if (isLang(stored)) return stored;
  for (const tag of browser) {
    const base = tag.toLowerCase().split("-")[0];
    if (isLang(base)) return base;
  }
  return "ko";
}
