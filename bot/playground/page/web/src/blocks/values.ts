// What a control holds before anybody touched it, and whether what it holds will do. Pure.
import type { Value } from "../model/protocol";
import type { Block, BlockElement } from "../model/slack";
import type { Values } from "../wire/gestures";
import { safeUrl } from "../text/urls";

export const isMany = (element: BlockElement): boolean =>
  element.type === "checkboxes" || element.type.startsWith("multi_");

export function initialValue(element: BlockElement): Value {
  if (isMany(element)) {
    const options = element.initial_options?.map((option) => option.value);
    return options ?? element.initial_users ?? element.initial_channels ?? element.initial_conversations ?? [];
  }
  return (
    element.initial_option?.value ??
    element.initial_value ??
    element.initial_date ??
    element.initial_time ??
    element.initial_date_time ??
    element.initial_user ??
    element.initial_channel ??
    element.initial_conversation ??
    null
  );
}

/** The same blocks, where a menu that asks for it begins with the conversation that the person came from. */
export function begunIn(blocks: Block[], conversation: string): Block[] {
  return blocks.map((block) => {
    const { element } = block;
    if (!conversation || !element?.default_to_current_conversation || element.initial_conversation) return block;
    return { ...block, element: { ...element, initial_conversation: conversation } };
  });
}

const STATELESS = new Set(["button", "overflow", "image", "icon_button", "feedback_buttons", "workflow_button"]);

export interface Holder {
  block: Block;
  block_id: string;
  action_id: string;
  element: BlockElement;
}

/** Everything in a modal that holds a value, in reading order. */
export function holders(blocks: Block[]): Holder[] {
  return blocks.flatMap((block) =>
    [block.element, block.accessory, ...(block.elements ?? [])].flatMap((part) => {
      if (!part || !("action_id" in part) || !part.action_id || STATELESS.has(part.type)) return [];
      return [{ block, block_id: block.block_id ?? "", action_id: part.action_id, element: part as BlockElement }];
    }),
  );
}

export function collected(blocks: Block[], typed: Values): Values {
  const values: Values = {};
  for (const { block_id, action_id, element } of holders(blocks)) {
    const inBlock = (values[block_id] ??= {});
    inBlock[action_id] = typed[block_id]?.[action_id] ?? initialValue(element);
  }
  return values;
}

const EMPTY = "Please complete this required field.";

/** What a client says before it asks the app: one sentence per block that will not do. */
export function problems(blocks: Block[], values: Values): Record<string, string> {
  const found: Record<string, string> = {};
  for (const holder of holders(blocks)) {
    if (holder.block.type !== "input") continue;
    const problem = problemOf(holder, values[holder.block_id]?.[holder.action_id] ?? null);
    if (problem) found[holder.block_id] = problem;
  }
  return found;
}

function problemOf({ block, element }: Holder, value: Value): string | null {
  const empty = value === null || value === "" || (Array.isArray(value) && value.length === 0);
  if (empty) return block.optional ? null : EMPTY;
  if (typeof value !== "string") return null;
  if (element.min_length && value.length < element.min_length) {
    return `This needs at least ${element.min_length} characters.`;
  }
  if (element.max_length && value.length > element.max_length) {
    return `This may have at most ${element.max_length} characters.`;
  }
  if (element.type === "number_input" && !isNumber(value, element)) return "This must be a number.";
  if (element.type === "url_text_input" && !safeUrl(value)) return "This must be a link, such as https://example.com";
  if (element.type === "email_text_input" && !/^\S+@\S+\.\S+$/.test(value)) return "This must be an e-mail address.";
  return null;
}

function isNumber(value: string, element: BlockElement): boolean {
  const number = Number(value);
  return Number.isFinite(number) && (element.is_decimal_allowed === true || Number.isInteger(number));
}
