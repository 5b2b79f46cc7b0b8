// Very long text, folded until somebody wants all of it.
import { useState, type ReactNode } from "react";

const LONG = 3000;

export function Folded({ length, children }: { length: number; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  if (length <= LONG) return children;
  return (
    <>
      <div className={open ? undefined : "folded"}>{children}</div>
      <button type="button" className="text-button" onClick={() => setOpen(!open)}>
        {open ? "Show less" : "Show more"}
      </button>
    </>
  );
}
