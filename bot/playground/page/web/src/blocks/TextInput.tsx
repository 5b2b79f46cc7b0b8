import { useEffect, useRef, type KeyboardEvent } from "react";
import type { ElementProps } from "./Element";
import { useSurface } from "./place";
import { textOf } from "./Text";
import { useValue } from "./use-value";

const TYPES: Record<string, string> = { email_text_input: "email", url_text_input: "url", number_input: "text" };

export function TextInput(props: ElementProps) {
  const { element, control, id } = props;
  const [value, type] = useValue(props);
  const surface = useSurface();
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => {
    if (element.focus_on_load) field.current?.focus();
  }, [element.focus_on_load]);
  const shared = {
    id,
    ref: field,
    className: "field",
    placeholder: textOf(element.placeholder),
    maxLength: element.max_length,
    "data-action-id": element.action_id,
    dir: "auto",
    value: typeof value === "string" ? value : "",
    onChange: (event: { target: { value: string } }) => type(event.target.value),
  };
  if (element.multiline || element.type === "rich_text_input") return <textarea rows={5} {...shared} />;
  const entered = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.nativeEvent.isComposing || surface.form) return;
    void surface.touch({ control, element, value });
  };
  return (
    <input
      type={TYPES[element.type] ?? "text"}
      inputMode={element.type === "number_input" ? "decimal" : undefined}
      onKeyDown={entered}
      {...shared}
    />
  );
}
