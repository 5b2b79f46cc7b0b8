// Dark or light: the system's wish until somebody chooses, then the choice, remembered.
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";

const KEY = "coldmigrate.theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function chosen(): Theme | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : null;
  } catch {
    return null;
  }
}

let choice = chosen();

const current = (): Theme => choice ?? (system.matches ? "dark" : "light");

function show(): void {
  document.documentElement.dataset["theme"] = current();
  for (const listener of listeners) listener();
}

export function chooseTheme(theme: Theme): void {
  choice = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Not remembered, but shown.
  }
  show();
}

system.addEventListener("change", show);
show();

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
