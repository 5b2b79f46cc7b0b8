import { expect, it } from "vitest";
import { begunIn, collected, problems } from "../src/blocks/values";
import type { Block, BlockElement } from "../src/model/slack";

const label = { type: "plain_text" as const, text: "x" };
const blocks: Block[] = [
  { type: "input", block_id: "a", label, element: { type: "plain_text_input", action_id: "t", min_length: 2 } },
  { type: "input", block_id: "b", label, optional: true, element: { type: "checkboxes", action_id: "c", initial_options: [{ text: label, value: "1" }] } },
  { type: "section", block_id: "s", text: label, accessory: { type: "static_select", action_id: "m" } },
  { type: "actions", block_id: "z", elements: [{ type: "button", action_id: "go" }] },
];

it("a modal's values are what was typed over what it began with, without its buttons", () => {
  expect(collected(blocks, { a: { t: "hi" } })).toEqual({ a: { t: "hi" }, b: { c: ["1"] }, s: { m: null } });
});

it("only inputs that will not do are complained about", () => {
  expect(problems(blocks, collected(blocks, {}))).toEqual({ a: "Please complete this required field." });
  expect(Object.keys(problems(blocks, { a: { t: "x" } }))).toEqual(["a"]);
  expect(problems(blocks, { a: { t: "xy" } })).toEqual({});
});

it("a menu of conversations begins where the person is, if it asks for that and names no other", () => {
  const menu = { type: "conversations_select", action_id: "c", default_to_current_conversation: true };
  const began = (element: BlockElement): unknown => collected(begunIn([{ type: "input", block_id: "w", element }], "C1"), {})["w"]?.["c"];
  expect(began(menu)).toBe("C1");
  expect(began({ ...menu, initial_conversation: "C2" })).toBe("C2");
  expect(began({ ...menu, default_to_current_conversation: false })).toBeNull();
});
