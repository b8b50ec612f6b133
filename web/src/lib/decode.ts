// Bytes of a dropped file → text. Korean servers still write CP949, Windows tools UTF-16, and logs that went through a
// wrong terminal carry UTF-8 that was read as Latin-1.

export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "cp949" | "utf-8-repaired";

export function decodeLog(bytes: Uint8Array): { text: string; encoding: Encoding } {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { text: new TextDecoder("utf-16le").decode(bytes), encoding: "utf-16le" };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { text: new TextDecoder("utf-16be").decode(bytes), encoding: "utf-16be" };
  const utf8 = tryDecode(bytes, "utf-8");
  if (utf8 !== null) {
    const repaired = repairMojibake(utf8);
    return repaired === null ? { text: utf8, encoding: "utf-8" } : { text: repaired, encoding: "utf-8-repaired" };
  }
  const korean = tryDecode(bytes, "euc-kr"); // the platform's euc-kr is CP949
  if (korean !== null) return { text: korean, encoding: "cp949" };
  return { text: new TextDecoder("utf-8").decode(bytes), encoding: "utf-8" };
}

// "ë©”ëª¨ë¦¬" → "메모리"; null when the text is not of that kind.
export function repairMojibake(text: string): string | null {
  if (!/[\u00e0-\u00ef][\u0080-\u00bf\u0152-\u2122]/.test(text)) return null;
  const bytes: number[] = [];
  for (const char of text) {
    const byte = windows1252Byte(char.codePointAt(0) ?? 0);
    if (byte === null) return null;
    bytes.push(byte);
  }
  const repaired = tryDecode(Uint8Array.from(bytes), "utf-8");
  return repaired !== null && /[\uac00-\ud7a3\u3040-\u30ff\u4e00-\u9fff]/.test(repaired) ? repaired : null;
}

const windows1252 = new Map(
  [...new TextDecoder("windows-1252").decode(Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i))].map((char, i) => [char.codePointAt(0) ?? 0, 0x80 + i]),
);

function windows1252Byte(code: number): number | null {
  if (code < 0x100) return code;
  return windows1252.get(code) ?? null;
}

function tryDecode(bytes: Uint8Array, encoding: string): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
