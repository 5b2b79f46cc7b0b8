// The channel in the middle: header, messages, composer.
import { useEffect, useState } from "react";
import type { Channel } from "../model/protocol";
import { store, useLook, useStore, useWorkspace } from "../model/store";
import { ChannelHeader } from "./ChannelHeader";
import { Composer } from "./Composer";
import { DropZone } from "./DropZone";
import { MessageList } from "./MessageList";
import { Welcome } from "./Welcome";

export function ChannelPane() {
  const look = useLook();
  const workspace = useWorkspace();
  const channel = workspace?.channels.find((one) => one.id === look.channel);
  if (!channel) return <section className="pane channel-pane" />;
  const title = channel.is_im ? (workspace?.app.name ?? "app") : `#${channel.name}`;
  return (
    <DropZone className="pane channel-pane" user={look.user} channel={channel.id} thread={null} into={title} label={title}>
      {look.home ? null : <ChannelHeader channel={channel} />}
      <ChannelBody channel={channel} title={title} user={look.user} />
    </DropZone>
  );
}

export function ChannelBody({ channel, title, user }: { channel: Channel; title: string; user: string }) {
  const part = useStore((state) => state.parts.channel);
  const messages = part?.id === channel.id ? part.messages : null;
  const newest = messages?.at(-1)?.ts;
  const [offered, setOffered] = useState({ line: "" });
  useEffect(() => {
    const last = [newest, channel.last_ts].filter(Boolean).sort().at(-1);
    if (last) store.dispatch({ do: "seen", channel: channel.id, ts: last });
  }, [channel.id, channel.last_ts, newest]);
  return (
    <>
      {messages && !messages.length ? <Welcome channel={channel} offer={(line) => setOffered({ line })} /> : null}
      {messages?.length ? <MessageList messages={messages} channel={channel.id} label={`Messages in ${title}`} /> : null}
      {messages ? null : <div className="message-list-frame" aria-busy="true" />}
      <Composer
        key={`${user}/${channel.id}`}
        user={user}
        channel={channel.id}
        thread={null}
        offered={offered}
        disabled={channel.is_archived}
        placeholder={channel.is_archived ? "This channel is archived" : `Message ${title}`}
      />
    </>
  );
}
