// The page's state and its only transitions. Pure: no sockets, no DOM.
import { keepSame } from "./same";
import { NOWHERE, type HomeTab, type Look } from "./look";
import type { Channel, FromServer, Parts, User, Workspace } from "./protocol";

export type Connection = "connecting" | "open" | "lost";

export interface Note {
  id: number;
  text: string;
  level: "info" | "error";
}

export interface State {
  parts: Parts;
  look: Look;
  connection: Connection;
  /** Per user and channel: the newest ts that was on the screen. */
  seen: Record<string, string>;
  notes: Note[];
}

export const EMPTY: State = {
  parts: {
    workspace: null,
    channel: null,
    thread: null,
    views: null,
    home: null,
    world: null,
    tally: null,
    traffic: null,
  },
  look: NOWHERE,
  connection: "connecting",
  seen: {},
  notes: [],
};

export type Action =
  | { do: "connection"; is: Connection }
  | { do: "server"; said: FromServer }
  | { do: "as"; user: string }
  | { do: "channel"; id: string }
  | { do: "thread"; ts: string | null }
  | { do: "home"; tab: HomeTab }
  | { do: "seen"; channel: string; ts: string }
  | { do: "note"; text: string; level: "info" | "error" }
  | { do: "dismiss"; id: number };

const NOTES = 4;

export function reduce(state: State, action: Action): State {
  switch (action.do) {
    case "connection":
      return state.connection === action.is ? state : { ...state, connection: action.is };
    case "server":
      return heard(state, action.said);
    case "as":
      return withLook(state, settled(state.parts.workspace, { ...state.look, user: action.user, thread: null }));
    case "channel":
      return withLook(state, { ...state.look, channel: action.id, thread: null, home: null });
    case "thread":
      return withLook(state, { ...state.look, thread: action.ts });
    case "home":
      return withLook(state, atHome(state, action.tab));
    case "seen":
      return noticed(state, action.channel, action.ts);
    case "note":
      return noted(state, action.text, action.level);
    case "dismiss":
      return { ...state, notes: state.notes.filter((note) => note.id !== action.id) };
  }
}

function heard(state: State, said: FromServer): State {
  if (said.type === "note") return noted(state, said.text, said.level);
  if (said.type !== "put" || !Object.hasOwn(state.parts, said.part)) return state;
  const parts = { ...state.parts, [said.part]: keepSame(state.parts[said.part], said.value) } as Parts;
  const next = { ...state, parts };
  return said.part === "workspace" ? withLook(next, settled(parts.workspace, next.look)) : next;
}

/** A look at what is really there: remembered users and channels may be gone after the demo was started anew. */
export function settled(workspace: Workspace | null, look: Look): Look {
  if (!workspace) return look;
  const people = workspace.users.filter((user) => !user.is_bot);
  const user = people.some((one) => one.id === look.user) ? look.user : (people[0]?.id ?? "");
  const open = visibleChannels(workspace, user);
  const direct = look.home === "messages" ? directChannel(workspace, user) : null;
  if (direct) return { user, channel: direct.id, thread: direct.id === look.channel ? look.thread : null, home: "messages" };
  const held = open.some((one) => one.id === look.channel);
  const channel = held ? look.channel : (open.find((one) => !one.is_im && !one.is_archived)?.id ?? "");
  return { user, channel, thread: held ? look.thread : null, home: look.home };
}

export function visibleChannels(workspace: Workspace, user: string): Channel[] {
  return workspace.channels.filter((one) => (!one.is_private && !one.is_im) || one.members.includes(user));
}

export function directChannel(workspace: Workspace, user: string): Channel | null {
  return workspace.channels.find((one) => one.is_im && one.members.includes(user)) ?? null;
}

/** The conversation that somebody is in: the app's own while its Home tab is shown. */
export function conversationOf({ look, parts }: State): string {
  if (!look.home || !parts.workspace) return look.channel;
  return directChannel(parts.workspace, look.user)?.id ?? look.channel;
}

function atHome(state: State, tab: HomeTab): Look {
  const direct = state.parts.workspace && directChannel(state.parts.workspace, state.look.user);
  const channel = tab === "messages" && direct ? direct.id : state.look.channel;
  return { ...state.look, channel, home: tab, thread: null };
}

function withLook(state: State, look: Look): State {
  const moved = look.user !== state.look.user || look.channel !== state.look.channel;
  const parts = { ...state.parts };
  // What belonged to the old place must not be shown under the new one while its own part is on the way.
  if (moved) parts.channel = null;
  if (moved || look.thread !== state.look.thread) parts.thread = null;
  if (look.user !== state.look.user) {
    parts.home = null;
    parts.views = null;
  }
  return { ...state, look, parts };
}

export const seenKey = (user: string, channel: string): string => `${user}/${channel}`;

function noticed(state: State, channel: string, ts: string): State {
  const key = seenKey(state.look.user, channel);
  if ((state.seen[key] ?? "") >= ts) return state;
  return { ...state, seen: { ...state.seen, [key]: ts } };
}

function noted(state: State, text: string, level: "info" | "error"): State {
  const id = (state.notes.at(-1)?.id ?? 0) + 1;
  return { ...state, notes: [...state.notes, { id, text, level }].slice(-NOTES) };
}

export function isUnread(state: State, channel: Channel): boolean {
  if (!channel.last_ts) return false;
  return channel.last_ts > (state.seen[seenKey(state.look.user, channel.id)] ?? "");
}

export function userOf(workspace: Workspace | null, id: string | undefined): User | null {
  return workspace?.users.find((user) => user.id === id) ?? null;
}
