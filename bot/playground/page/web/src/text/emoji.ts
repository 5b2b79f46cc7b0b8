// The reactions that the page offers and can draw. A name it does not know is shown as :name:.

export const REACTIONS: Record<string, string> = {
  "+1": "👍",
  "-1": "👎",
  eyes: "👀",
  white_check_mark: "✅",
  x: "❌",
  tada: "🎉",
  warning: "⚠️",
  rotating_light: "🚨",
  hourglass_flowing_sand: "⏳",
  rocket: "🚀",
  heart: "❤️",
  fire: "🔥",
  thinking_face: "🤔",
  pray: "🙏",
  raised_hands: "🙌",
  mute: "🔇",
};

const ALIASES: Record<string, string> = { thumbsup: "+1", thumbsdown: "-1", heavy_check_mark: "white_check_mark" };

export const drawn = (name: string): string => REACTIONS[ALIASES[name] ?? name] ?? `:${name}:`;
