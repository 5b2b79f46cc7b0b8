// Every select: a field to type in with a list under it. Static options are filtered here; an external select asks the
// app as somebody types.
import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { placeUnder } from "../chat/place-under";
import type { Value } from "../model/protocol";
import type { ElementProps } from "./Element";
import { flat, useOptions, type Found } from "./menu-options";
import { textOf } from "./Text";
import { useValue } from "./use-value";
import { isMany } from "./values";

export function Menu(props: ElementProps) {
  const { element, control, id } = props;
  const [value, choose] = useValue(props);
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState<string | null>(null);
  const [active, setActive] = useState(0);
  const found = useOptions(element, control, typed ?? "", open);
  const labels = useRef(new Map<string, string>());
  const list = useId();
  const many = isMany(element);
  const chosen = chosenOf(value);
  const items = flat(found);
  for (const option of items) labels.current.set(option.value, textOf(option.text));
  for (const option of [element.initial_option, ...(element.initial_options ?? [])]) {
    if (option) labels.current.set(option.value, textOf(option.text));
  }
  const labelOf = (one: string): string => labels.current.get(one) ?? one;

  const take = (one: string): void => {
    if (many) choose(chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one]);
    else choose(one);
    setTyped(null);
    if (!many) setOpen(false);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const by = event.key === "ArrowDown" ? 1 : -1;
      setActive((at) => (items.length ? (at + (open ? by : 0) + items.length) % items.length : 0));
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      const option = items[active];
      if (option) take(option.value);
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      event.preventDefault();
      setOpen(false);
      setTyped(null);
    } else if (event.key === "Backspace" && many && !typed && chosen.length) {
      choose(chosen.slice(0, -1));
    }
  };
  const shown = typed ?? (many ? "" : chosen[0] ? labelOf(chosen[0]) : "");
  const field = useRef<HTMLDivElement>(null);
  return (
    <div className="menu" ref={field}>
      {many && chosen.length ? <Chips chosen={chosen} labelOf={labelOf} drop={take} /> : null}
      <input
        id={id}
        className="field menu-field"
        role="combobox"
        aria-expanded={open}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={open && items[active] ? `${list}-${active}` : undefined}
        aria-label={id ? undefined : element.accessibility_label || textOf(element.placeholder) || "Choose"}
        placeholder={textOf(element.placeholder) || "Choose an option"}
        autoComplete="off"
        spellCheck={false}
        data-action-id={control.action_id}
        data-testid="block-menu"
        value={shown}
        onClick={() => setOpen(true)}
        onFocus={(event) => event.target.select()}
        onBlur={() => {
          setOpen(false);
          setTyped(null);
        }}
        onChange={(event) => {
          setTyped(event.target.value);
          setActive(0);
          setOpen(true);
        }}
        onKeyDown={key}
      />
      {open ? <List id={list} found={found} active={active} chosen={chosen} take={take} anchor={field} /> : null}
    </div>
  );
}

const chosenOf = (value: Value): string[] =>
  Array.isArray(value) ? value : value === null || value === "" ? [] : [String(value)];

interface ChipsProps {
  chosen: string[];
  labelOf: (value: string) => string;
  drop: (value: string) => void;
}

function Chips({ chosen, labelOf, drop }: ChipsProps) {
  return (
    <span className="chips">
      {chosen.map((one) => (
        <button key={one} type="button" className="chip" aria-label={`Remove ${labelOf(one)}`} onClick={() => drop(one)}>
          <bdi>{labelOf(one)}</bdi> ×
        </button>
      ))}
    </span>
  );
}

interface ListProps {
  id: string;
  found: Found;
  active: number;
  chosen: string[];
  take: (value: string) => void;
  anchor: React.RefObject<HTMLDivElement | null>;
}

function List({ id, found, active, chosen, take, anchor }: ListProps) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!box.current || !anchor.current) return;
    if (!box.current.matches(":popover-open")) box.current.showPopover();
    box.current.style.minWidth = `${anchor.current.offsetWidth}px`;
    placeUnder(box.current, anchor.current);
  });
  useEffect(() => {
    box.current?.querySelector("[data-active=true]")?.scrollIntoView({ block: "nearest" });
  }, [active]);
  let number = -1;
  return (
    <div ref={box} popover="manual" id={id} role="listbox" className="popup menu-list">
      {found.note ? <p className="menu-note">{found.note}</p> : null}
      {found.groups.map((group, index) => (
        <div key={index} role="group" aria-label={group.label}>
          {group.label ? <p className="menu-group">{group.label}</p> : null}
          {group.options.map((option) => {
            number += 1;
            return (
              <div
                key={option.value}
                id={`${id}-${number}`}
                role="option"
                data-testid="menu-option"
                data-active={number === active}
                data-value={option.value}
                aria-selected={chosen.includes(option.value)}
                className="menu-item"
                // Before the field loses focus and the list with it.
                onPointerDown={(event) => {
                  event.preventDefault();
                  take(option.value);
                }}
              >
                <bdi>{textOf(option.text)}</bdi>
                {option.description ? <small>{textOf(option.description)}</small> : null}
              </div>
            );
          })}
        </div>
      ))}
    </div>
  );
}
