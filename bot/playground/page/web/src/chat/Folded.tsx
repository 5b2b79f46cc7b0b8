// Very long text: its beginning, until somebody wants all of it.
import { useState, type ReactNode } from "react";

const LONG = 4000;

export function Folded({ text, draw }: { text: string; draw: (text: string) => ReactNode }) {
  const [open, setOpen] = useState(false);
  if (text.length <= LONG) return draw(text);
  return (
    <>
      {draw(open ? text : `${text.slice(0, LONG)}…`)}
      <button type="button" className="text-button" onClick={() => setOpen(!open)}>
        {open ? "Show less" : `Show all of ${text.length} characters`}
      </button>
    </>
  );
}
