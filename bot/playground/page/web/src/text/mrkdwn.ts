// mrkdwn and blocks on their way to the renderer. The renderer parses mrkdwn and draws links; what may not be parsed or
// followed is taken out here, before it sees any of it.
import { safeImage, safeUrl } from "./urls";

const JOINER = "\u2060";

export const LONGEST_MRKDWN = 12_000;

const ESCAPES: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** Slack escapes three characters in a message's text. */
export const unescaped = (text: string): string => text.replace(/&(?:lt|gt|amp);/g, (found) => ESCAPES[found] ?? found);

const ANGLED = /<([^<>@#!|][^<>|]*)(?:\|([^<>]*))?>/g;

// The renderer nests a quote for every sign and gives up at some thousand of them.
const QUOTES = /^((?:[ \t]*(?:>|&gt;)){3})(?:[ \t]*(?:>|&gt;))+/gm;

// The renderer puts a blank after every escaped sign, so that those that begin a line are quotes. The others need none.
const NO_QUOTE = /^((?:[ \t]*&gt;)+)|&gt;/gm;

// It also takes escapes back before it looks for mentions and links; a joiner keeps what was escaped from being one.
const ESCAPED_OPENING = /&lt;(?=[!@#]|[a-z][a-z\d+.-]*:)/gi;

/** The same mrkdwn with links that lead to nothing but http, https and mail; other links become their label. */
export function safeMrkdwn(text: string): string {
  return text
    .replace(QUOTES, "$1")
    .replace(ESCAPED_OPENING, `&lt;${JOINER}`)
    .replace(ANGLED, (whole, url: string, label: string | undefined) => {
      if (safeUrl(url)) return whole;
      return label ?? `&lt;${url}&gt;`; // what is no link at all was meant as text
    })
    .replace(NO_QUOTE, (_, quotes: string | undefined) => quotes ?? ">");
}

const IMAGE_IN_MARKDOWN = /!\[([^\]]*)\]\([^)]*\)/g;

/** Markdown whose pictures are their alternative text: the page loads nothing from elsewhere. */
export const withoutImages = (text: string): string => text.replace(IMAGE_IN_MARKDOWN, "$1");

/** Plain text that a mrkdwn parser reads as plain text: an invisible joiner parts the signs that would mean something. */
export const unparsed = (text: string): string => text.replace(/[*_~`:<>&@#|]/g, (sign) => `${sign}${JOINER}`);

// The renderer looks for emoji in rich text as well, where Slack has them as things of their own, and swallows those that
// it does not know: of 16:31:45 it would leave 163145.
const CLOCK = /:(?=\d+:)/g;

const DROPPED = new Set(["block_id", "confirm"]);

/** A block as the renderer may have it: safe links, no remote pictures, no confirm dialogs, plain text kept plain. */
export function forRenderer(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(forRenderer);
  if (typeof value !== "object" || value === null) return value;
  const given = value as Record<string, unknown>;
  const kept: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(given)) {
    if (DROPPED.has(key)) continue;
    kept[key] = field(given, key, item);
  }
  return kept;
}

function field(owner: Record<string, unknown>, key: string, item: unknown): unknown {
  if (key === "image_url" || key === "thumbnail_url") return safeImage(item) ?? "";
  if (key === "url" || key.endsWith("_url")) return safeUrl(item) ?? "";
  if (key !== "text" || typeof item !== "string") return forRenderer(item);
  if (owner["type"] === "mrkdwn") return safeMrkdwn(item);
  if (owner["type"] === "plain_text") return unparsed(item);
  if (owner["type"] === "markdown") return withoutImages(item);
  if (owner["type"] === "text") return item.replace(CLOCK, `:${JOINER}`);
  return item;
}
