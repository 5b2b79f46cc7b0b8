// The workspace on the left: channels, the app, and who one is.
import { useMemo } from "react";
import type { Channel } from "../model/protocol";
import { store, useLook, useStore, useWorkspace } from "../model/store";
import { isUnread, visibleChannels } from "../model/state";
import { visible } from "../text/visible";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";
import { Shortcuts } from "./Shortcuts";
import { UserSwitch } from "./UserSwitch";

export function Sidebar({ onPick }: { onPick: () => void }) {
  const workspace = useWorkspace();
  const look = useLook();
  const channels = useMemo(
    () => (workspace ? visibleChannels(workspace, look.user).filter((one) => !one.is_im) : []),
    [workspace, look.user],
  );
  if (!workspace) return <nav className="sidebar" aria-label="Workspace" />;
  const home = (tab: "home" | "messages"): void => {
    store.dispatch({ do: "home", tab });
    onPick();
  };
  return (
    <nav className="sidebar" aria-label="Workspace">
      <div className="workspace-name">
        <bdi>{visible(workspace.name)}</bdi>
        <span className="workspace-played">played here</span>
      </div>
      <div className="sidebar-scroll">
        <h2>Channels</h2>
        <ul>
          {channels.map((channel) => (
            <ChannelEntry key={channel.id} channel={channel} onPick={onPick} />
          ))}
        </ul>
        <h2>Apps</h2>
        <ul>
          <li>
            <button type="button" className={look.home ? "entry entry-on" : "entry"} aria-current={look.home ? "page" : undefined} data-testid="home-entry" onClick={() => home("home")}>
              <Avatar id={workspace.app.user_id} name={workspace.app.name} size="small" />
              <bdi>{visible(workspace.app.name)}</bdi>
              <DirectUnread />
            </button>
          </li>
        </ul>
        <Shortcuts />
      </div>
      <UserSwitch />
    </nav>
  );
}

function ChannelEntry({ channel, onPick }: { channel: Channel; onPick: () => void }) {
  const on = useStore((state) => state.look.channel === channel.id && !state.look.home);
  const unread = useStore((state) => isUnread(state, channel)) && !on;
  return (
    <li>
      <button
        type="button"
        className={`entry${on ? " entry-on" : ""}${unread ? " entry-unread" : ""}`}
        data-testid={`channel-${channel.id}`}
        aria-current={on ? "page" : undefined}
        onClick={() => {
          store.dispatch({ do: "channel", id: channel.id });
          onPick();
        }}
      >
        <Icon name={channel.is_private ? "lock" : "hash"} />
        <bdi>{visible(channel.name)}</bdi>
        {channel.is_archived ? <small>archived</small> : null}
        {unread ? <span className="unread-dot" aria-label="unread" /> : null}
      </button>
    </li>
  );
}

function DirectUnread() {
  const unread = useStore((state) => {
    const { workspace } = state.parts;
    const direct = workspace?.channels.find((one) => one.is_im && one.members.includes(state.look.user));
    return direct ? isUnread(state, direct) && state.look.home !== "messages" : false;
  });
  return unread ? <span className="unread-dot" aria-label="unread" /> : null;
}
