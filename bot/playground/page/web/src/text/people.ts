// How people appear: initials and a colour that is always the same for the same id.

export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const first = words[0] ?? "?";
  const second = words.length > 1 ? (words.at(-1) ?? "") : "";
  return ([...first][0] ?? "?").toUpperCase() + ([...second][0] ?? "").toUpperCase();
}

const HUES = [262, 338, 200, 150, 28, 300, 178, 225];

/** One of eight hues, far enough apart to tell people by (FNV-1a over the id). */
export function hue(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193) >>> 0;
  return HUES[hash % HUES.length] ?? 262;
}
