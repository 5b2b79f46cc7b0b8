// A text object of either kind.
import type { TextObject } from "../model/slack";
import { Mrkdwn } from "./LibraryBlocks";
import { Plain } from "./Plain";

export function Text({ of }: { of: TextObject | null | undefined }) {
  if (!of) return null;
  return of.type === "mrkdwn" ? <Mrkdwn text={of.text} /> : <Plain text={of.text} />;
}

/** The characters of a text object, whatever was sent in its place. */
export function textOf(thing: unknown): string {
  if (typeof thing === "string") return thing;
  if (typeof thing === "object" && thing !== null && "text" in thing) return String(thing.text);
  return "";
}
