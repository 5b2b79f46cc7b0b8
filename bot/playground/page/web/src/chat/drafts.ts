// What was typed and not yet sent, per person and place; and what was sent, for the arrow up.

const drafts = new Map<string, string>();
const sent = new Map<string, string[]>();
const KEY = "coldmigrate.drafts";

try {
  for (const [key, text] of Object.entries(JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Record<string, string>)) {
    drafts.set(key, text);
  }
} catch {
  // Nothing kept: begin empty.
}

export const draftOf = (key: string): string => drafts.get(key) ?? "";

export function keepDraft(key: string, text: string): void {
  if (text) drafts.set(key, text);
  else drafts.delete(key);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(Object.fromEntries(drafts)));
  } catch {
    // A draft that cannot be stored still lives as long as the page.
  }
}

export const sentBefore = (key: string): string[] => sent.get(key) ?? [];

export function keepSent(key: string, text: string): void {
  const before = sentBefore(key).filter((one) => one !== text);
  sent.set(key, [...before, text].slice(-50));
}
