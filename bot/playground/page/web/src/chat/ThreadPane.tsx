// One thread: beside its channel, or without a head of its own behind a tab where there is no room for that.
import { useEffect, useMemo } from "react";
import { seenKey } from "../model/state";
import { store, useLook, useStore, useWorkspace } from "../model/store";
import { Composer } from "./Composer";
import { DropZone } from "./DropZone";
import { Icon } from "./Icon";
import { MessageList } from "./MessageList";

export const closeThread = (): void => store.dispatch({ do: "thread", ts: null });

export function ThreadPane({ bare = false }: { bare?: boolean }) {
  const look = useLook();
  const part = useStore((state) => state.parts.thread);
  const workspace = useWorkspace();
  const channel = workspace?.channels.find((one) => one.id === look.channel);
  const messages = part && part.ts === look.thread && part.channel === look.channel ? part.messages : null;
  const place = `${look.channel}/${look.thread ?? ""}`;
  const seen = useMemo(() => store.get().seen[seenKey(look.user, place)] ?? "", [look.user, place]);
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open], :popover-open")) closeThread();
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, []);
  if (!look.thread || !channel) return null;
  const name = channel.is_im ? (workspace?.app.name ?? "") : `#${channel.name}`;
  return (
    <DropZone className="pane thread-pane" testid="thread-pane" user={look.user} channel={channel.id} thread={look.thread} into="this thread" label="Thread">
      {bare ? null : (
        <header className="pane-head">
          <h2>Thread</h2>
          <p className="topic">{name}</p>
          <button type="button" className="icon-button" aria-label="Close thread" onClick={closeThread}>
            <Icon name="close" />
          </button>
        </header>
      )}
      {messages ? <MessageList key={place} messages={messages} channel={channel.id} inThread seen={seen} onEnd={(ts) => store.dispatch({ do: "seen", channel: place, ts })} label="Thread" /> : <div className="message-list-frame" aria-busy="true" />}
      <Composer key={`${look.user}/${look.thread}`} user={look.user} channel={channel.id} thread={look.thread} disabled={channel.is_archived} placeholder="Reply…" />
    </DropZone>
  );
}
