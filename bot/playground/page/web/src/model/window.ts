// How wide the window is, in the only two steps that matter to more than the style sheet.
import { useSyncExternalStore } from "react";

/** Below this a channel, a thread and the sites do not fit beside each other. */
const NARROW = window.matchMedia("(max-width: 1399px)");

/** Below this only one of them fits. */
const SINGLE = window.matchMedia("(max-width: 859px)");

export const isSingle = (): boolean => SINGLE.matches;

export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      NARROW.addEventListener("change", listener);
      return () => NARROW.removeEventListener("change", listener);
    },
    () => NARROW.matches,
  );
}
