// Messages, oldest first, under dividers of days. Stays at the bottom when it was there; else a pill tells of new ones.
import { Fragment, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Message } from "../model/slack";
import { dayKey, dayLabel } from "../text/format";
import { continues } from "./author";
import { Icon } from "./Icon";
import { MessageRow } from "./MessageRow";

interface ListProps {
  messages: Message[];
  channel: string;
  inThread?: boolean;
  label: string;
}

const NEAR = 60;

export function MessageList({ messages, channel, inThread = false, label }: ListProps) {
  const box = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const atBottom = useRef(true);
  const [below, setBelow] = useState(false);
  const newest = messages.at(-1)?.ts ?? "";
  const before = useRef(newest);

  const toBottom = (): void => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
    atBottom.current = true;
    setBelow(false);
  };
  useLayoutEffect(() => {
    atBottom.current = true;
    setBelow(false);
    toBottom();
  }, [channel]);
  useLayoutEffect(() => {
    if (atBottom.current) toBottom();
    else if (newest > before.current) setBelow(true);
    before.current = newest;
  }, [messages, newest]);
  // Cards grow while they are drawn, and panes change their size: the bottom stays the bottom.
  useEffect(() => {
    if (!inner.current || !box.current) return;
    const watcher = new ResizeObserver(() => {
      if (atBottom.current) box.current?.scrollTo({ top: box.current.scrollHeight });
    });
    watcher.observe(inner.current);
    watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);
  const scrolled = (): void => {
    const { scrollHeight, scrollTop, clientHeight } = box.current!;
    atBottom.current = scrollHeight - scrollTop - clientHeight < NEAR;
    if (atBottom.current) setBelow(false);
  };
  return (
    <div className="message-list-frame">
      <div ref={box} className="message-list" role="log" aria-label={label} aria-live="polite" aria-relevant="additions" tabIndex={0} onScroll={scrolled}>
        <div ref={inner} className="message-list-inner">
          {messages.map((message, index) => (
            <OneOf key={message.ts} message={message} before={messages[index - 1]} channel={channel} inThread={inThread} replies={inThread && index === 0 ? messages.length - 1 : null} />
          ))}
        </div>
      </div>
      {below ? (
        <button type="button" className="new-pill" onClick={toBottom}>
          <Icon name="down" /> New messages
        </button>
      ) : null}
    </div>
  );
}

interface OneProps {
  message: Message;
  before: Message | undefined;
  channel: string;
  inThread: boolean;
  /** In a thread, the first message is followed by a line that counts the others. */
  replies: number | null;
}

function OneOf({ message, before, channel, inThread, replies }: OneProps) {
  const sameDay = before !== undefined && dayKey(before.ts) === dayKey(message.ts);
  const afterParent = inThread && before !== undefined && message.thread_ts === before.ts;
  return (
    <Fragment>
      {sameDay || inThread ? null : (
        <div className="day" role="separator">
          <span>{dayLabel(message.ts, new Date())}</span>
        </div>
      )}
      <MessageRow message={message} channel={channel} joined={!afterParent && continues(before, message, sameDay)} inThread={inThread} />
      {replies ? (
        <div className="replies" role="separator">
          <span>{replies === 1 ? "1 reply" : `${replies} replies`}</span>
        </div>
      ) : null}
    </Fragment>
  );
}
