// What appears over a message: reactions, reply, and the app's message shortcuts.
import { useRef, useState } from "react";
import type { Message } from "../model/slack";
import { store, useWorkspace } from "../model/store";
import { REACTIONS } from "../text/emoji";
import { messageShortcut, react, report } from "../wire/gestures";
import { Icon } from "./Icon";
import { Popup } from "./Popup";

interface ToolbarProps {
  channel: string;
  message: Message;
  inThread: boolean;
}

export function Toolbar({ channel, message, inThread }: ToolbarProps) {
  const [open, setOpen] = useState<"react" | "more" | null>(null);
  const reactButton = useRef<HTMLButtonElement>(null);
  const moreButton = useRef<HTMLButtonElement>(null);
  const close = (): void => setOpen(null);
  return (
    <div className={open ? "toolbar toolbar-open" : "toolbar"} role="group" aria-label="Message actions">
      <button type="button" ref={reactButton} aria-label="Add reaction" title="Add reaction" aria-haspopup="menu" onClick={() => setOpen(open === "react" ? null : "react")}>
        <Icon name="smile" />
      </button>
      {inThread ? null : (
        <button type="button" aria-label="Reply in thread" title="Reply in thread" data-testid="reply-in-thread" onClick={() => store.dispatch({ do: "thread", ts: message.thread_ts ?? message.ts })}>
          <Icon name="reply" />
        </button>
      )}
      <button type="button" ref={moreButton} aria-label="More actions" title="More actions" data-testid="more-actions" aria-haspopup="menu" onClick={() => setOpen(open === "more" ? null : "more")}>
        <Icon name="more" />
      </button>
      <Popup anchor={reactButton} open={open === "react"} onClose={close} label="Reactions">
        <ReactionGrid
          pick={(name) => {
            close();
            report(react(channel, message.ts, name));
          }}
        />
      </Popup>
      <Popup anchor={moreButton} open={open === "more"} onClose={close} label="More actions">
        <Shortcuts channel={channel} ts={message.ts} close={close} />
      </Popup>
    </div>
  );
}

function ReactionGrid({ pick }: { pick: (name: string) => void }) {
  return (
    <div className="reaction-grid">
      {Object.entries(REACTIONS).map(([name, sign]) => (
        <button key={name} type="button" role="menuitem" aria-label={name} title={`:${name}:`} onClick={() => pick(name)}>
          {sign}
        </button>
      ))}
    </div>
  );
}

function Shortcuts({ channel, ts, close }: { channel: string; ts: string; close: () => void }) {
  const workspace = useWorkspace();
  const shortcuts = (workspace?.shortcuts ?? []).filter((one) => one.type === "message");
  if (!shortcuts.length) return <p className="menu-note">No app has a message shortcut here.</p>;
  return shortcuts.map((one) => (
    <button
      key={one.callback_id}
      type="button"
      role="menuitem"
      className="menu-item"
      data-testid={`message-shortcut-${one.callback_id}`}
      onClick={() => {
        close();
        report(messageShortcut(one.callback_id, channel, ts));
      }}
    >
      <span>{one.name}</span>
      <small>{workspace?.app.name}</small>
    </button>
  ));
}
