// Who one is, and being somebody else: approvals by a second person need a second person.
import { useRef, useState } from "react";
import { store, useLook, useWorkspace } from "../model/store";
import { userOf } from "../model/state";
import { visible } from "../text/visible";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";
import { Popup } from "./Popup";

export function UserSwitch() {
  const workspace = useWorkspace();
  const { user: me } = useLook();
  const anchor = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const people = (workspace?.users ?? []).filter((user) => !user.is_bot);
  const mine = userOf(workspace, me);
  const name = mine?.real_name || mine?.name || "nobody";
  return (
    <div className="user-switch">
      <button ref={anchor} type="button" data-testid="user-switch" aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Avatar id={me} name={name} size="medium" />
        <span className="user-words">
          <small>You are</small>
          <strong>
            <bdi>{visible(name)}</bdi>
          </strong>
        </span>
        <Icon name="updown" />
      </button>
      <Popup anchor={anchor} open={open} onClose={() => setOpen(false)} label="Be somebody else">
        <p className="menu-group">Be somebody else</p>
        {people.map((person) => (
          <button
            key={person.id}
            type="button"
            role="menuitemradio"
            aria-checked={person.id === me}
            className="menu-item menu-person"
            data-testid={`user-${person.id}`}
            onClick={() => {
              setOpen(false);
              store.dispatch({ do: "as", user: person.id });
            }}
          >
            <Avatar id={person.id} name={person.real_name || person.name} size="medium" />
            <span>
              <bdi>{visible(person.real_name || person.name)}</bdi>
              <small>{person.groups.length ? person.groups.map((group) => `@${visible(group)}`).join(" ") : "in no group"}</small>
            </span>
            {person.id === me ? <span aria-hidden="true">✓</span> : null}
          </button>
        ))}
      </Popup>
    </div>
  );
}
