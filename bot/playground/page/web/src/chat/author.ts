// Who said a message, as it is shown. Pure.
import type { Workspace } from "../model/protocol";
import type { Message } from "../model/slack";
import { visible } from "../text/visible";

export interface Author {
  id: string;
  name: string;
  isApp: boolean;
}

export function authorOf(message: Message, workspace: Workspace | null): Author {
  const app = workspace?.app;
  const user = workspace?.users.find((one) => one.id === message.user);
  const isApp = Boolean(message.bot_id) || Boolean(user?.is_bot) || message.user === "USLACKBOT";
  const id = message.user ?? message.bot_id ?? "unknown";
  if (message.user === "USLACKBOT") return { id, name: "Slackbot", isApp };
  const known = user ? (user.is_bot ? user.name : user.real_name || user.name) : message.bot_id === app?.bot_id ? app?.name : undefined;
  return { id, name: visible(message.username ?? known ?? id), isApp };
}

const TOGETHER = 5 * 60;

/** Whether a message stands under the one before it without a head of its own. */
export function continues(before: Message | undefined, message: Message, sameDay: boolean): boolean {
  if (!before || !sameDay || message.ephemeral || before.ephemeral) return false;
  const same = before.user === message.user && before.bot_id === message.bot_id && before.username === message.username;
  return same && Number(message.ts) - Number(before.ts) < TOGETHER;
}
