// Messages, oldest first, under dividers of days. Stays at the bottom when it was there; else a pill tells of new ones.
// A thread is read from the first reply that is new: a long verdict from its beginning, not from its end.
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
  /** In a thread: the newest reply when somebody was at its end before. */
  seen?: string;
  /** Somebody is at the end, where this is the newest. */
  onEnd?: (newest: string) => void;
  label: string;
}

const NEAR = 60;

export function MessageList({ messages, channel, inThread = false, seen = "", onEnd, label }: ListProps) {
  const box = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const atBottom = useRef(true);
  const shape = useRef("");
  const [below, setBelow] = useState(false);
  const newest = messages.at(-1)?.ts ?? "";
  const before = useRef(seen);

  const scrollTo = (top: number): void => {
    const list = box.current;
    if (!list) return;
    list.scrollTo({ top });
    shape.current = shapeOf(list);
    atBottom.current = leftBelow(list) < NEAR;
    setBelow(!atBottom.current);
  };
  const tellEnd = (): void => {
    if (atBottom.current) onEnd?.(newest);
  };
  const toBottom = (): void => scrollTo(box.current?.scrollHeight ?? 0);
  const toNew = (): void => scrollTo(box.current ? topOfNew(box.current, before.current) : 0);

  useLayoutEffect(() => {
    if (!inThread) toBottom();
  }, [channel]);
  useLayoutEffect(() => {
    if (atBottom.current) (inThread ? toNew : toBottom)();
    else if (newest > before.current) setBelow(true);
    before.current = newest;
    tellEnd();
  }, [messages, newest]);
  // Cards grow while they are drawn, and panes change their size: the bottom stays the bottom.
  useEffect(() => {
    if (!inner.current || !box.current) return;
    const watcher = new ResizeObserver(() => {
      const list = box.current;
      if (!list) return;
      if (atBottom.current) list.scrollTo({ top: list.scrollHeight });
      shape.current = shapeOf(list);
    });
    watcher.observe(inner.current);
    watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);
  const scrolled = (): void => {
    const list = box.current!;
    const near = leftBelow(list) < NEAR;
    // A list of another shape was moved by its layout and not by a hand; its watcher is about to put it right.
    if (shapeOf(list) !== shape.current) return;
    atBottom.current = near;
    if (near) setBelow(false);
    tellEnd();
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

const shapeOf = (list: HTMLElement): string => `${list.scrollHeight}/${list.clientHeight}/${list.clientWidth}`;

const leftBelow = (list: HTMLElement): number => list.scrollHeight - list.scrollTop - list.clientHeight;

const MARGIN = 40;

/** Where the first reply after `seen` begins; a list that ends sooner can only be scrolled to its end. */
function topOfNew(list: HTMLElement, seen: string): number {
  const replies = [...list.querySelectorAll<HTMLElement>("[data-ts]")].slice(1);
  const first = replies.find((one) => (one.dataset["ts"] ?? "") > seen);
  if (!first) return list.scrollHeight;
  return first.getBoundingClientRect().top - list.getBoundingClientRect().top + list.scrollTop - MARGIN;
}
