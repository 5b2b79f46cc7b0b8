import { useEffect } from "react";
import { store, useLook, useStore, useWorkspace } from "../model/store";
import { Composer } from "./Composer";
import { DropZone } from "./DropZone";
import { Icon } from "./Icon";
import { MessageList } from "./MessageList";

export function ThreadPane() {
  const look = useLook();
  const part = useStore((state) => state.parts.thread);
  const workspace = useWorkspace();
  const channel = workspace?.channels.find((one) => one.id === look.channel);
  const close = (): void => store.dispatch({ do: "thread", ts: null });
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open], :popover-open")) close();
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, []);
  if (!look.thread || !channel) return null;
  const messages = part?.ts === look.thread && part.channel === look.channel ? part.messages : null;
  const name = channel.is_im ? (workspace?.app.name ?? "") : `#${channel.name}`;
  return (
    <DropZone className="pane thread-pane" testid="thread-pane" user={look.user} channel={channel.id} thread={look.thread} into="this thread" label="Thread">
      <header className="pane-head">
        <h2>Thread</h2>
        <p className="topic">{name}</p>
        <button type="button" className="icon-button" aria-label="Close thread" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {messages ? <MessageList messages={messages} channel={channel.id} inThread label="Thread" /> : <div className="message-list-frame" aria-busy="true" />}
      <Composer key={`${look.user}/${look.thread}`} user={look.user} channel={channel.id} thread={look.thread} disabled={channel.is_archived} placeholder="Reply…" />
    </DropZone>
  );
}
