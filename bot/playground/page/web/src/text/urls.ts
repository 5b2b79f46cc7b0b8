// Which addresses a click may go to. Everything else stays text.

const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/** The address, or null if it is relative, malformed or of a scheme that is not allowed. */
export function safeUrl(url: unknown): string | null {
  if (typeof url !== "string") return null;
  try {
    const parsed = new URL(url.trim());
    return ALLOWED.has(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

const IMAGE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+$/;

/** Pictures that need no network: inline ones only. Everything else is shown as its alternative text. */
export function safeImage(url: unknown): string | null {
  return typeof url === "string" && IMAGE.test(url) ? url : null;
}
