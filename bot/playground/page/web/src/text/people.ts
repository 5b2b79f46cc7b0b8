// How people appear: initials and a colour that is always the same for the same id.

const HUES = [262, 340, 200, 150, 28, 300, 178, 225];

export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const first = words[0] ?? "?";
  const second = words.length > 1 ? (words.at(-1) ?? "") : "";
  return ([...first][0] ?? "?").toUpperCase() + ([...second][0] ?? "").toUpperCase();
}

export function hue(id: string): number {
  let sum = 7;
  for (const letter of id) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return HUES[sum % HUES.length] ?? 262;
}
