// A menu that hangs on a button: above everything, closed by Escape, by a click elsewhere, or by losing focus.
// Arrow keys walk its items.
import { useEffect, useLayoutEffect, useRef, type KeyboardEvent, type ReactNode, type RefObject } from "react";
import { placeUnder } from "./place-under";

interface PopupProps {
  anchor: RefObject<HTMLElement | null>;
  open: boolean;
  onClose: () => void;
  label: string;
  children: ReactNode;
}

export function Popup({ anchor, open, onClose, label, children }: PopupProps) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!open || !box.current || !anchor.current) return;
    box.current.showPopover();
    placeUnder(box.current, anchor.current);
    box.current.querySelector<HTMLElement>("button, [role=menuitem]")?.focus();
  }, [open, anchor]);
  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent): void => {
      const target = event.target as Node;
      if (!box.current?.contains(target) && !anchor.current?.contains(target)) onClose();
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open, onClose, anchor]);
  if (!open) return null;
  const close = (): void => {
    onClose();
    anchor.current?.focus();
  };
  const walk = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      step(box.current, event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Tab") {
      onClose();
    }
  };
  return (
    <div ref={box} popover="manual" className="popup" role="menu" aria-label={label} onKeyDown={walk}>
      {children}
    </div>
  );
}

function step(box: HTMLElement | null, by: number): void {
  const items = [...(box?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + by + items.length) % items.length]?.focus();
}
