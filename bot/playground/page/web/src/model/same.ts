// Parts arrive whole, many times a second. What did not change keeps its identity, so that React draws only what did.

/** `next`, built from `before` wherever both say the same. */
export function keepSame<T>(before: unknown, next: T): T {
  if (Object.is(before, next)) return next;
  if (Array.isArray(before) && Array.isArray(next)) return sameList(before, next) as T;
  if (isRecord(before) && isRecord(next)) return sameRecord(before, next) as T;
  return next;
}

function sameList(before: unknown[], next: unknown[]): unknown[] {
  const known = new Map<unknown, unknown>(before.map((item) => [identity(item), item]));
  const kept = next.map((item, index) => keepSame(known.get(identity(item)) ?? before[index], item));
  const unchanged = kept.length === before.length && kept.every((item, index) => item === before[index]);
  return unchanged ? before : kept;
}

function sameRecord(before: Record<string, unknown>, next: Record<string, unknown>): Record<string, unknown> {
  const keys = Object.keys(next);
  const kept = Object.fromEntries(keys.map((key) => [key, keepSame(before[key], next[key])]));
  const unchanged = keys.length === Object.keys(before).length && keys.every((key) => kept[key] === before[key]);
  return unchanged ? before : kept;
}

/** Messages are told apart by ts and traffic by n; without such a name nothing is matched by it. */
function identity(item: unknown): unknown {
  if (!isRecord(item)) return Symbol("unnamed");
  return item["ts"] ?? item["n"] ?? Symbol("unnamed");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
