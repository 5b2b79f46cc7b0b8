// One message: who, when, what, and what can be done with it.
import { memo, useMemo } from "react";
import { Blocks } from "../blocks/Blocks";
import { Mrkdwn } from "../blocks/LibraryBlocks";
import { SurfaceContext } from "../blocks/place";
import { surfaceAt } from "../blocks/surface";
import type { Message } from "../model/slack";
import { store, useWorkspace } from "../model/store";
import { clock, fullTime } from "../text/format";
import { authorOf } from "./author";
import { Avatar } from "./Avatar";
import { Files } from "./Files";
import { Folded } from "./Folded";
import { Icon } from "./Icon";
import { Reactions } from "./Reactions";
import { ThreadSummary } from "./ThreadSummary";
import { Toolbar } from "./Toolbar";

interface RowProps {
  message: Message;
  channel: string;
  /** Under another message of the same person, without a head. */
  joined: boolean;
  inThread: boolean;
}

export const MessageRow = memo(function MessageRow({ message, channel, joined, inThread }: RowProps) {
  const workspace = useWorkspace();
  const author = authorOf(message, workspace);
  const surface = useMemo(() => surfaceAt({ in: "message", channel, ts: message.ts }), [channel, message.ts]);
  const classes = ["message", joined ? "message-joined" : "", message.ephemeral ? "message-ephemeral" : ""];
  return (
    <article
      className={classes.filter(Boolean).join(" ")}
      data-testid="message"
      data-ts={message.ts}
      data-user={author.id}
      data-ephemeral={message.ephemeral ? "true" : undefined}
      aria-label={`${author.name} at ${clock(message.ts)}`}
    >
      <div className="message-side">
        {joined ? <Moment ts={message.ts} /> : <Avatar id={author.id} name={author.name} />}
      </div>
      <div className="message-main">
        {message.ephemeral ? <p className="only-you"><Icon name="eye" /> Only visible to you</p> : null}
        {joined ? null : (
          <header className="message-head">
            <bdi className="message-author">{author.name}</bdi>
            {author.isApp ? <span className="badge">App</span> : null}
            <Moment ts={message.ts} />
          </header>
        )}
        <SurfaceContext value={surface}>
          <Body message={message} typed={!author.isApp} />
        </SurfaceContext>
        {message.files?.length ? <Files files={message.files} /> : null}
        {message.reactions?.length ? <Reactions channel={channel} message={message} /> : null}
        {!inThread && message.reply_count ? (
          <ThreadSummary message={message} open={() => store.dispatch({ do: "thread", ts: message.ts })} />
        ) : null}
      </div>
      {message.ephemeral ? null : <Toolbar channel={channel} message={message} inThread={inThread} />}
    </article>
  );
});

function Body({ message, typed }: { message: Message; typed: boolean }) {
  // Slack marks an edit of plain text only; a message with blocks is redrawn without a word.
  const edited = message.edited && !hasLayout(message) ? <span className="edited"> (edited)</span> : null;
  // What a person typed is drawn from its text, which names people and channels; the app's blocks are drawn as sent.
  if (message.blocks?.length && !(typed && !hasLayout(message))) {
    return (
      <div className="message-body">
        <Blocks blocks={message.blocks} />
        {edited}
      </div>
    );
  }
  return (
    <div className="message-body">
      <Folded text={message.text} draw={(text) => <Mrkdwn text={text} />} />
      {edited}
    </div>
  );
}

const hasLayout = (message: Message): boolean => (message.blocks ?? []).some((block) => block.type !== "rich_text");

function Moment({ ts }: { ts: string }) {
  return (
    <time className="message-time" title={fullTime(ts)}>
      {clock(ts)}
    </time>
  );
}
