// JSON for people's eyes: indented, bounded, and with every character that acts written as its escape.

const MOST = 40_000;

const ACTING = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

export function shownJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2) ?? "null";
  const shown = text.length > MOST ? `${text.slice(0, MOST)}\n… and ${text.length - MOST} more characters` : text;
  return shown.replace(ACTING, (acting) => `\\u${acting.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
