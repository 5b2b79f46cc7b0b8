// What one person looks at, and what is kept of it over a reload.

export type HomeTab = "home" | "messages" | null;

export interface Look {
  user: string;
  channel: string;
  thread: string | null;
  home: HomeTab;
}

export const NOWHERE: Look = { user: "", channel: "", thread: null, home: null };

const KEY = "coldmigrate.look";

export function remembered(): Look {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (kept && typeof kept === "object") return { ...NOWHERE, ...(kept as Partial<Look>) };
  } catch {
    // A browser that keeps nothing, or something else's text under our key: begin anew.
  }
  return NOWHERE;
}

export function remember(look: Look): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(look));
  } catch {
    // Storage may be off; the page works without.
  }
}
