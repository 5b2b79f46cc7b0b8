import { useRef, useState } from "react";
import type { Option } from "../model/slack";
import { Popup } from "../chat/Popup";
import { safeUrl } from "../text/urls";
import type { ElementProps } from "./Element";
import { useSurface } from "./place";
import { textOf } from "./Text";

export function Overflow({ element, control }: ElementProps) {
  const surface = useSurface();
  const anchor = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const choose = (option: Option): void => {
    setOpen(false);
    const url = safeUrl(option.url);
    if (url) window.open(url, "_blank", "noopener,noreferrer");
    void surface.touch({ control, element, value: option.value });
  };
  return (
    <>
      <button
        ref={anchor}
        type="button"
        className="button button-icon"
        data-testid="block-button"
        data-action-id={control.action_id}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={element.accessibility_label ?? "More options"}
        onClick={() => setOpen(!open)}
      >
        ⋯
      </button>
      <Popup anchor={anchor} open={open} onClose={() => setOpen(false)} label="More options">
        {(element.options ?? []).map((option) => (
          <button key={option.value} type="button" role="menuitem" className="menu-item" onClick={() => choose(option)}>
            <bdi>{textOf(option.text)}</bdi>
          </button>
        ))}
      </Popup>
    </>
  );
}
