// What a person can do, one function each. A gesture that fails becomes a note on the page unless its caller catches it.
import { store } from "../model/store";
import type { OptionsAnswer, Value, WorldOrder } from "../model/protocol";
import { GestureError, Wire } from "./socket";

const address = (): string => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ui/socket`;

const wire = new Wire(address(), {
  onOpen: () => {
    store.dispatch({ do: "connection", is: "open" });
    look();
  },
  onLost: () => store.dispatch({ do: "connection", is: "lost" }),
  onSaid: (said) => store.dispatch({ do: "server", said }),
});

let looked = "";

/** Connect, and tell the server whenever what the person looks at changes. */
export function begin(): void {
  store.subscribe(() => {
    const state = store.get();
    if (state.connection === "open" && JSON.stringify(state.look) !== looked) look();
  });
  wire.connect();
}

export const reconnect = (): void => wire.connect();

function look(): void {
  const { look: at } = store.get();
  looked = JSON.stringify(at);
  if (!at.user) return; // the server puts the workspace by itself; then the store says who looks
  const home = at.home === "home";
  report(wire.send({ do: "look", user: at.user, channel: at.channel, thread: at.thread, home }));
}

/** Tell the person when it failed. */
export function report(doing: Promise<unknown>): void {
  doing.catch((error: unknown) => {
    store.dispatch({ do: "note", text: sentence(error), level: "error" });
  });
}

export function sentence(error: unknown): string {
  return error instanceof GestureError ? error.message : "Something went wrong on this page.";
}

export const command = (channel: string, line: string) => wire.send({ do: "command", channel, line });

export const post = (channel: string, text: string, thread: string | null) =>
  wire.send({ do: "post", channel, text, ...(thread ? { thread_ts: thread } : {}) });

export const react = (channel: string, ts: string, name: string) => wire.send({ do: "react", channel, ts, name });

export const shortcut = (callback_id: string) => wire.send({ do: "shortcut", callback_id });

export const messageShortcut = (callback_id: string, channel: string, ts: string) =>
  wire.send({ do: "message_shortcut", callback_id, channel, ts });

/** Where a control stands: that decides which gesture a click is. */
export type Place =
  | { in: "message"; channel: string; ts: string }
  | { in: "home" }
  | { in: "view"; view: string };

export interface Control {
  block_id: string;
  action_id: string;
}

export function touch(place: Place, control: Control, value?: Value): Promise<unknown> {
  const chosen = value === undefined ? {} : { value };
  switch (place.in) {
    case "message":
      return wire.send({ do: "click", channel: place.channel, ts: place.ts, ...control, ...chosen });
    case "home":
      return wire.send({ do: "home_click", ...control, ...chosen });
    case "view":
      return wire.send({ do: "view_click", view_id: place.view, ...control, ...chosen });
  }
}

export function options(place: Place, control: Control, query: string): Promise<OptionsAnswer> {
  const where = {
    message: () => (place.in === "message" ? { channel: place.channel, ts: place.ts } : {}),
    home: () => ({}),
    view: () => (place.in === "view" ? { view_id: place.view } : {}),
  }[place.in]();
  return wire.send({ do: "options", ...control, query, ...where }) as Promise<OptionsAnswer>;
}

export type Values = Record<string, Record<string, Value>>;

export const submitView = (view_id: string, values: Values) => wire.send({ do: "submit_view", view_id, values });

export const closeView = (view_id: string) => wire.send({ do: "close_view", view_id });

export const changeWorld = (change: WorldOrder) => wire.send({ do: "world", ...change });
