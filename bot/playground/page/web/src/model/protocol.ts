// What the server says (PROTOCOL.md). Only shapes live here.
import type { Message, Option, OptionGroup, ViewJson } from "./slack";

export interface User {
  id: string;
  name: string;
  real_name: string;
  is_bot: boolean;
  groups: string[];
}

export interface Channel {
  id: string;
  name: string;
  is_private: boolean;
  is_archived: boolean;
  is_im?: boolean;
  topic: string;
  members: string[];
  last_ts: string | null;
}

export interface SlashCommand {
  command: string;
  description: string;
  usage_hint: string;
}

export interface Shortcut {
  name: string;
  type: "global" | "message";
  callback_id: string;
  description: string;
}

export interface UserGroup {
  id: string;
  handle: string;
  name: string;
}

export interface Workspace {
  name: string;
  app: { id: string; name: string; user_id: string; bot_id: string };
  commands: SlashCommand[];
  shortcuts: Shortcut[];
  users: User[];
  channels: Channel[];
  groups: UserGroup[];
}

export interface ChannelPart {
  id: string;
  messages: Message[];
}

export interface ThreadPart {
  channel: string;
  ts: string;
  messages: Message[];
}

export interface OpenView {
  id: string;
  view: ViewJson;
  errors: Record<string, string>;
  loading: boolean;
}

export interface Host {
  name: string;
  version: string;
  connected: boolean;
  maintenance: boolean;
  copying: number;
}

export interface Datastore {
  name: string;
  capacity: number;
  free: number;
  orphans: number;
}

export interface Vm {
  name: string;
  folder: string;
  host: string;
  power: string;
  datastore: string;
  bytes: number;
}

export interface Site {
  name: string;
  datacenter: string;
  cluster: string;
  vcenter: string;
  hosts: Host[];
  datastores: Datastore[];
  vms: Vm[];
}

export type BlockHow = "silent" | "refused";

export interface BlockedPort {
  from: string;
  to: string;
  port: number;
  how: BlockHow;
}

export interface Link {
  between: [string, string];
  rate: number;
  rtt_ms: number;
  loss: number;
  mtu: number;
  blocked: BlockedPort[];
  flows: number;
  bytes_per_second: number;
}

export interface Move {
  vm: string;
  from_site: string;
  to_site: string;
  from_host: string;
  to_host: string;
  percent: number;
  bytes: number;
  bytes_per_second: number;
  state: "queued" | "running" | "success" | "error";
  fault: string;
  op_id: string;
}

export interface Role {
  name: string;
  state: "running" | "starting" | "stopped";
  pid: number | null;
  restarts: number;
}

export interface Vcenter {
  name: string;
  up: boolean;
  sessions: number;
}

export interface World {
  now: string;
  advanced_s: number;
  sites: Site[];
  links: Link[];
  moves: Move[];
  roles: Role[];
  vcenters: Vcenter[];
}

export interface Tally {
  posts: number;
  updates: number;
  rate_limited: number;
  commands: number;
  ack_ms_p50: number;
  ack_ms_max: number;
  connections: number[];
}

export interface Crossing {
  n: number;
  at: string;
  way: string;
  what: string;
  body: unknown;
  answer: unknown;
}

/** Every part that the server puts, by name. Null until it came. */
export interface Parts {
  workspace: Workspace | null;
  channel: ChannelPart | null;
  thread: ThreadPart | null;
  views: OpenView[] | null;
  home: ViewJson | null;
  world: World | null;
  tally: Tally | null;
  traffic: Crossing[] | null;
}

export type PartName = keyof Parts;

export type FromServer =
  | { type: "put"; part: PartName; value: unknown }
  | { type: "did"; id: number; ok: boolean; result?: unknown; error?: string }
  | { type: "note"; text: string; level: "info" | "error" };

export interface OptionsAnswer {
  options?: Option[];
  option_groups?: OptionGroup[];
}

/** What a person chose in a control: one value, several (checkboxes, multi selects), a moment, or nothing. */
export type Value = string | string[] | number | null;

export type WorldOrder =
  | { order: "link"; args: { between: [string, string]; loss?: number; rate?: number; rtt?: number; mtu?: number } }
  | { order: "block"; args: { from: string; to: string; port: number; how: BlockHow; blocked: boolean } }
  | { order: "fill"; args: { datastore: string; free: number } }
  | { order: "host"; args: { host: string; connected?: boolean; maintenance?: boolean } }
  | { order: "relocate"; args: { vm: string; site: string } }
  | { order: "expire-sessions"; args: { vcenter?: string } }
  | { order: "vcenter"; args: { vcenter: string; up: boolean } }
  | { order: "kill"; args: { role: string } }
  | { order: "advance"; args: { seconds: number } }
  | { order: "slack"; args: { what: "disconnect" | "429" | "thrice"; times?: number } };
