// Dates and times, by the browser's own pickers.
import type { ElementProps } from "./Element";
import { textOf } from "./Text";
import { useValue } from "./use-value";

export function Picker(props: ElementProps) {
  const { element, id } = props;
  const [value, choose] = useValue(props);
  const label = element.accessibility_label ?? textOf(element.placeholder);
  if (element.type === "datetimepicker") {
    return (
      <input
        id={id}
        className="field"
        type="datetime-local"
        aria-label={label || undefined}
        data-action-id={element.action_id}
        value={typeof value === "number" ? localMinute(value) : ""}
        onChange={(event) => choose(event.target.value ? Math.floor(new Date(event.target.value).getTime() / 1000) : null)}
      />
    );
  }
  return (
    <input
      id={id}
      className="field"
      type={element.type === "datepicker" ? "date" : "time"}
      aria-label={label || undefined}
      data-action-id={element.action_id}
      value={typeof value === "string" ? value : ""}
      onChange={(event) => choose(event.target.value || null)}
    />
  );
}

function localMinute(seconds: number): string {
  const at = new Date(seconds * 1000);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
