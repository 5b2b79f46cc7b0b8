// A switch of the world. It is busy until the world has answered, then says so for a moment.
import { useEffect, useState, type ReactNode } from "react";
import type { WorldOrder } from "../model/protocol";
import { changeWorld, report } from "../wire/gestures";

interface ButtonProps {
  change: WorldOrder;
  /** What it switches is off its normal state, and a click mends it. */
  on?: boolean;
  label?: string;
  children: ReactNode;
}

type Mood = "idle" | "busy" | "done";

export function WorldButton({ change, on, label, children }: ButtonProps) {
  const [mood, setMood] = useState<Mood>("idle");
  useEffect(() => {
    if (mood !== "done") return;
    const timer = setTimeout(() => setMood("idle"), 900);
    return () => clearTimeout(timer);
  }, [mood]);
  const press = (): void => {
    if (mood === "busy") return;
    setMood("busy");
    const asked = changeWorld(change);
    report(asked);
    asked.then(
      () => setMood("done"),
      () => setMood("idle"),
    );
  };
  return (
    <button
      type="button"
      className={`switch${on ? " switch-on" : ""}`}
      data-mood={mood}
      data-testid={`world-switch-${change.order}`}
      data-args={JSON.stringify(change.args)}
      aria-pressed={on}
      aria-label={label}
      onClick={press}
    >
      {children}
      {mood === "done" ? <span className="switch-done"> ✓</span> : null}
    </button>
  );
}
