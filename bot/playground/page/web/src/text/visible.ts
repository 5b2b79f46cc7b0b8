// Characters that act instead of being seen: they turn text round or hide it. Names are shown without them.

// U+00AD, U+061C, U+200B..U+200F, U+2028..U+202E, U+2060..U+206F, U+FEFF, and the controls but line feed and tab.
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** One line of a name, with everything that acts replaced by a visible mark. Emoji joiners are kept. */
export function visible(name: string): string {
  return name.replace(/[\n\t]/g, " ").replace(ACTING, (acting) => (acting === "\u200d" ? acting : "\ufffd"));
}
