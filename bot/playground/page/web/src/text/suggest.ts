// What the composer suggests while somebody types. Pure: text and cursor in, suggestions out.
import type { SlashCommand, User, UserGroup } from "../model/protocol";

export interface Suggestion {
  key: string;
  title: string;
  detail: string;
  hint: string;
  /** What takes the place of the typed word. */
  insert: string;
}

export interface Suggesting {
  /** Where the word begins that a suggestion replaces. */
  from: number;
  items: Suggestion[];
}

const NONE: Suggesting = { from: 0, items: [] };

export interface Known {
  commands: SlashCommand[];
  users: User[];
  groups: UserGroup[];
}

export function suggest(text: string, cursor: number, known: Known): Suggesting {
  const before = text.slice(0, cursor);
  if (/^\/\S*$/.test(before)) return { from: 0, items: commandsLike(before, known.commands) };
  const mention = /(^|[\s(])@([\w.-]*)$/.exec(before);
  if (mention) {
    const typed = mention[2] ?? "";
    return { from: cursor - typed.length - 1, items: peopleLike(typed, known) };
  }
  return NONE;
}

function commandsLike(typed: string, commands: SlashCommand[]): Suggestion[] {
  return commands
    .filter((one) => one.command.startsWith(typed.toLowerCase()))
    .map((one) => ({
      key: one.command,
      title: one.command,
      detail: one.description,
      hint: one.usage_hint,
      insert: `${one.command} `,
    }));
}

function peopleLike(typed: string, known: Known): Suggestion[] {
  const start = typed.toLowerCase();
  const fits = (...names: string[]): boolean =>
    names.some((name) => name.toLowerCase().split(/[\s-]+/).some((word) => word.startsWith(start)) || name.toLowerCase().startsWith(start));
  const people = known.users
    .filter((user) => fits(user.name, user.real_name))
    .map((user) => ({
      key: user.id,
      title: `@${user.name}`,
      detail: user.is_bot ? "App" : user.real_name,
      hint: "",
      insert: `@${user.name} `,
    }))
    .sort((a, b) => Number(b.detail === "App") - Number(a.detail === "App"));
  const groups = known.groups
    .filter((group) => fits(group.handle, group.name))
    .map((group) => ({
      key: group.id,
      title: `@${group.handle}`,
      detail: group.name,
      hint: "user group",
      insert: `@${group.handle} `,
    }));
  return [...people, ...groups].slice(0, 8);
}

/** The text after a suggestion was taken, and where the cursor stands then. */
export function taken(text: string, cursor: number, from: number, insert: string): { text: string; cursor: number } {
  const rest = text.slice(cursor).replace(/^ /, "");
  return { text: text.slice(0, from) + insert + rest, cursor: from + insert.length };
}

/** What Slack says when a command is typed where commands do not work. */
export const threadRefusal = (command: string): string =>
  `${command} is not supported in threads. Sorry! Use it in the channel, or mention the app here.`;
