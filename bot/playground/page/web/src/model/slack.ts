// Slack's JSON as far as the page reads it. Everything comes from outside: fields that may be missing are optional.

export interface TextObject {
  type: "plain_text" | "mrkdwn";
  text: string;
  emoji?: boolean;
}

export interface Option {
  text: TextObject;
  value: string;
  description?: TextObject;
  url?: string;
}

export interface OptionGroup {
  label: TextObject;
  options: Option[];
}

export interface ConfirmObject {
  title?: TextObject;
  text: TextObject;
  confirm?: TextObject;
  deny?: TextObject;
  style?: "primary" | "danger";
}

/** A button, menu, picker or input. Which fields count depends on `type`. */
export interface BlockElement {
  type: string;
  action_id?: string;
  text?: TextObject;
  value?: string;
  url?: string;
  style?: "primary" | "danger";
  confirm?: ConfirmObject;
  placeholder?: TextObject;
  options?: Option[];
  option_groups?: OptionGroup[];
  initial_option?: Option;
  initial_options?: Option[];
  initial_value?: string;
  initial_date?: string;
  initial_time?: string;
  initial_date_time?: number;
  initial_user?: string;
  initial_users?: string[];
  initial_channel?: string;
  initial_channels?: string[];
  initial_conversation?: string;
  initial_conversations?: string[];
  default_to_current_conversation?: boolean;
  multiline?: boolean;
  min_length?: number;
  max_length?: number;
  min_query_length?: number;
  is_decimal_allowed?: boolean;
  focus_on_load?: boolean;
  accessibility_label?: string;
  image_url?: string;
  alt_text?: string;
}

export interface Block {
  type: string;
  block_id?: string;
  text?: TextObject | string;
  fields?: TextObject[];
  elements?: (BlockElement | TextObject)[];
  accessory?: BlockElement;
  element?: BlockElement;
  label?: TextObject;
  hint?: TextObject;
  optional?: boolean;
  dispatch_action?: boolean;
  title?: TextObject | string;
  image_url?: string;
  alt_text?: string;
  rows?: unknown[];
  columns?: unknown[];
  [key: string]: unknown;
}

export interface Reaction {
  name: string;
  users: string[];
  count: number;
}

export interface SlackFile {
  id: string;
  name: string;
  title?: string;
  alt_txt?: string;
  size: number;
  mimetype: string;
  filetype: string;
}

export interface Message {
  ts: string;
  user?: string;
  bot_id?: string;
  username?: string;
  text: string;
  blocks?: Block[];
  thread_ts?: string;
  reply_count?: number;
  reply_users?: string[];
  latest_reply?: string;
  edited?: unknown;
  reactions?: Reaction[];
  files?: SlackFile[];
  ephemeral?: boolean;
  subtype?: string;
}

export interface ViewJson {
  type: "modal" | "home";
  title?: TextObject;
  blocks: Block[];
  submit?: TextObject | null;
  close?: TextObject | null;
  callback_id?: string;
}
