// Where one types. Enter sends, Shift+Enter breaks the line; / and @ suggest; arrow up brings back what was sent.
import { useEffect, useId, useLayoutEffect, useRef, useState, type ClipboardEvent, type KeyboardEvent } from "react";
import { store, useWorkspace } from "../model/store";
import { suggest, taken, threadRefusal, type Suggestion } from "../text/suggest";
import { command, post, sentence } from "../wire/gestures";
import { draftOf, keepDraft, keepSent, sentBefore } from "./drafts";
import { Icon } from "./Icon";
import { sendFiles } from "./send-files";
import { Suggestions } from "./Suggestions";

const TALLEST = 220;
const LONG = 5000;

interface ComposerProps {
  user: string;
  channel: string;
  thread: string | null;
  placeholder: string;
  disabled?: boolean;
  /** A line that is put here whenever it is offered anew. */
  offered?: { line: string };
}

export function Composer({ user, channel, thread, placeholder, disabled = false, offered }: ComposerProps) {
  const place = `${user}/${channel}/${thread ?? ""}`;
  const [text, setText] = useState(() => draftOf(place));
  const [cursor, setCursor] = useState(0);
  const [active, setActive] = useState(0);
  const [hidden, setHidden] = useState(false);
  const [past, setPast] = useState<number | null>(null);
  const [problem, setProblem] = useState("");
  const sending = useRef<Promise<void>>(Promise.resolve());
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const list = useId();
  const workspace = useWorkspace();

  const suggesting = workspace && !hidden && !disabled ? suggest(text, cursor, workspace) : { from: 0, items: [] };
  const open = suggesting.items.length > 0;

  useEffect(() => keepDraft(place, text), [place, text]);
  useEffect(() => field.current?.focus(), [place]);
  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto"; // measuring a very long line takes seconds, and its height is known: the tallest
    area.style.height = `${text.length > LONG ? TALLEST : Math.min(area.scrollHeight, TALLEST)}px`;
  }, [text]);

  const write = (next: string, at = next.length): void => {
    setText(next);
    setCursor(at);
    setActive(0);
    setProblem("");
    requestAnimationFrame(() => field.current?.setSelectionRange(at, at));
  };
  useEffect(() => {
    if (!offered?.line) return;
    write(offered.line);
    field.current?.focus();
  }, [offered]);
  const take = (suggestion: Suggestion): void => {
    const next = taken(text, cursor, suggesting.from, suggestion.insert);
    write(next.text, next.cursor);
    field.current?.focus();
  };
  const send = async (): Promise<void> => {
    const line = text.trim();
    if (!line) return;
    const known = /^\/[a-z][\w-]*/.exec(line)?.[0];
    if (known && thread) {
      setProblem(threadRefusal(known));
      return;
    }
    write("");
    keepSent(place, line);
    setPast(null);
    const before = sending.current; // whoever types fast is not ignored, and is heard in order
    sending.current = (async () => {
      await before;
      try {
        await (known ? command(channel, line) : post(channel, line, thread));
      } catch (error) {
        setText((now) => now || line); // what could not be sent is not lost
        setProblem(sentence(error));
      }
    })();
    await sending.current;
  };
  const recall = (by: number): boolean => {
    const before = sentBefore(place);
    const at = past === null ? before.length + by : past + by;
    if (past === null && (text || by > 0)) return false;
    if (at < 0) return true;
    setPast(at >= before.length ? null : at);
    write(before[at] ?? "");
    return true;
  };
  const suggestKey = (event: KeyboardEvent): boolean => {
    if (!open) return false;
    const count = suggesting.items.length;
    const chosen = suggesting.items[active];
    if (event.key === "ArrowDown") setActive((active + 1) % count);
    else if (event.key === "ArrowUp") setActive((active - 1 + count) % count);
    else if (event.key === "Escape") setHidden(true);
    else if (event.key === "Tab" && chosen) take(chosen);
    // A command that is already typed whole is sent by Enter, not completed once more.
    else if (event.key === "Enter" && !event.shiftKey && chosen && chosen.insert.trim() !== text.trim()) take(chosen);
    else return false;
    return true;
  };
  const key = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (suggestKey(event)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void send();
    } else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && recall(event.key === "ArrowUp" ? -1 : 1)) {
      event.preventDefault();
    }
  };
  const pasted = (event: ClipboardEvent): void => {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    sendFiles(files, { user, channel, thread, comment: "" });
  };
  return (
    <div className="composer-frame">
      {open ? <Suggestions id={list} items={suggesting.items} active={active} take={take} hover={setActive} /> : null}
      {problem ? (
        <p className="composer-problem" role="alert">
          {problem}
        </p>
      ) : null}
      <div className={disabled ? "composer composer-off" : "composer"}>
        <textarea
          ref={field}
          data-testid="composer"
          className={text.length > LONG ? "composer-long" : undefined}
          rows={1}
          dir="auto"
          value={text}
          disabled={disabled}
          placeholder={placeholder}
          aria-label={placeholder}
          aria-autocomplete="list"
          aria-controls={open ? list : undefined}
          aria-activedescendant={open ? `${list}-${active}` : undefined}
          onChange={(event) => {
            setText(event.target.value);
            setCursor(event.target.selectionStart);
            setActive(0);
            setHidden(false);
            setProblem("");
            setPast(null);
          }}
          onSelect={(event) => setCursor(event.currentTarget.selectionStart)}
          onKeyDown={key}
          onPaste={pasted}
        />
        <div className="composer-bar">
          <button type="button" className="icon-button" aria-label="Attach a file" title="Attach a file" disabled={disabled} onClick={() => picker.current?.click()}>
            <Icon name="clip" />
          </button>
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            data-testid="file-input"
            aria-label="Files to attach"
            onChange={(event) => {
              sendFiles([...(event.target.files ?? [])], { user, channel, thread, comment: text.trim() });
              if (text.trim()) write("");
              event.target.value = "";
            }}
          />
          {thread ? null : <GlobalShortcuts disabled={disabled} start={() => write("/")} focus={() => field.current?.focus()} />}
          <span className="composer-tip">
            {text ? (
              <>
                <kbd>Shift</kbd>+<kbd>Enter</kbd> for a new line
              </>
            ) : null}
          </span>
          <button type="button" className="send-button" data-testid="composer-send" aria-label="Send" disabled={disabled || !text.trim()} onClick={() => void send()}>
            <Icon name="send" />
          </button>
        </div>
      </div>
    </div>
  );
}

function GlobalShortcuts({ disabled, start, focus }: { disabled: boolean; start: () => void; focus: () => void }) {
  return (
    <button
      type="button"
      className="icon-button slash-button"
      aria-label="Commands"
      title="Commands"
      disabled={disabled}
      onClick={() => {
        if (!store.get().look.channel) return;
        start();
        focus();
      }}
    >
      /
    </button>
  );
}
