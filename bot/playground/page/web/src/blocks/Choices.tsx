import { useId } from "react";
import type { ElementProps } from "./Element";
import { Text, textOf } from "./Text";
import { useValue } from "./use-value";

export function Choices(props: ElementProps) {
  const { element } = props;
  const [value, choose] = useValue(props);
  const name = useId();
  const many = element.type === "checkboxes";
  const chosen = Array.isArray(value) ? value : value === null ? [] : [String(value)];
  const toggle = (one: string): void => {
    if (!many) choose(one);
    else choose(chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one]);
  };
  return (
    <div className="choices" role={many ? "group" : "radiogroup"} aria-label={element.accessibility_label}>
      {(element.options ?? []).map((option) => (
        <label key={option.value} className="choice">
          <input
            type={many ? "checkbox" : "radio"}
            name={name}
            value={option.value}
            checked={chosen.includes(option.value)}
            data-action-id={element.action_id}
            onChange={() => toggle(option.value)}
          />
          <span>
            <Text of={option.text} />
            {option.description ? <small>{textOf(option.description)}</small> : null}
          </span>
        </label>
      ))}
    </div>
  );
}
