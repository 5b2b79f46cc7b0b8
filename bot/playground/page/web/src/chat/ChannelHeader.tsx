import { useRef, useState } from "react";
import type { Channel } from "../model/protocol";
import { useWorkspace } from "../model/store";
import { userOf } from "../model/state";
import { counted } from "../text/format";
import { visible } from "../text/visible";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";
import { Popup } from "./Popup";

export function ChannelHeader({ channel }: { channel: Channel }) {
  return (
    <header className="pane-head">
      <h1>
        <Icon name={channel.is_private ? "lock" : "hash"} />
        <bdi>{visible(channel.name)}</bdi>
      </h1>
      <p className="topic" title={channel.topic}>
        <bdi>{channel.topic}</bdi>
      </p>
      <Members channel={channel} />
    </header>
  );
}

function Members({ channel }: { channel: Channel }) {
  const workspace = useWorkspace();
  const anchor = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  return (
    <>
      <button ref={anchor} type="button" className="members" aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="people" />
        {channel.members.length}
        <span className="sr-only">{counted(channel.members.length, "member")}</span>
      </button>
      <Popup anchor={anchor} open={open} onClose={() => setOpen(false)} label="Members">
        {channel.members.map((id) => {
          const user = userOf(workspace, id);
          return (
            <div key={id} className="menu-item menu-item-still" role="menuitem" tabIndex={-1}>
              <Avatar id={id} name={user?.real_name || user?.name || id} size="small" />
              <bdi>{visible(user?.real_name || user?.name || id)}</bdi>
              {user?.is_bot ? <span className="badge">App</span> : null}
            </div>
          );
        })}
      </Popup>
    </>
  );
}
