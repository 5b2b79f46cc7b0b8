import { useState } from "react";
import { safeUrl } from "../text/urls";
import type { ElementProps } from "./Element";
import { useSurface } from "./place";
import { textOf } from "./Text";

export function Button({ element, control }: ElementProps) {
  const surface = useSurface();
  const [busy, setBusy] = useState(false);
  const url = safeUrl(element.url);
  const press = (): void => {
    if (busy) return;
    if (url) window.open(url, "_blank", "noopener,noreferrer");
    setBusy(true);
    void surface.touch({ control, element }).finally(() => setBusy(false));
  };
  const style = element.style === "primary" || element.style === "danger" ? ` button-${element.style}` : "";
  return (
    <button
      type="button"
      className={`button${style}`}
      data-testid="block-button"
      data-action-id={control.action_id}
      aria-label={element.accessibility_label}
      aria-busy={busy}
      onClick={press}
    >
      <bdi>{textOf(element.text)}</bdi>
    </button>
  );
}
