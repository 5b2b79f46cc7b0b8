// One store for the page, read through `useStore`. Components dispatch actions; nothing else changes the state.
import { useSyncExternalStore } from "react";
import { remember, remembered } from "./look";
import { EMPTY, reduce, type Action, type State } from "./state";

type Listener = () => void;

class Store {
  private state: State = { ...EMPTY, look: remembered() };
  private readonly listeners = new Set<Listener>();

  get = (): State => this.state;

  dispatch = (action: Action): void => {
    const next = reduce(this.state, action);
    if (next === this.state) return;
    if (next.look !== this.state.look) remember(next.look);
    this.state = next;
    for (const listener of this.listeners) listener();
  };

  subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

export const store = new Store();

/** What `pick` picks; redrawn when that changes. `pick` must return parts of the state, not make new objects. */
export function useStore<T>(pick: (state: State) => T): T {
  return useSyncExternalStore(store.subscribe, () => pick(store.get()));
}

export const useWorkspace = () => useStore((state) => state.parts.workspace);
export const useLook = () => useStore((state) => state.look);
