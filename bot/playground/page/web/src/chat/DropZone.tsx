// Files dragged anywhere onto a pane are dropped into its channel or thread.
import { useRef, useState, type DragEvent, type ReactNode } from "react";
import { Icon } from "./Icon";
import { sendFiles } from "./send-files";

interface ZoneProps {
  user: string;
  channel: string;
  thread: string | null;
  into: string;
  className: string;
  testid?: string;
  label: string;
  children: ReactNode;
}

const hasFiles = (event: DragEvent): boolean => event.dataTransfer.types.includes("Files");

export function DropZone({ user, channel, thread, into, className, testid, label, children }: ZoneProps) {
  const [over, setOver] = useState(false);
  const depth = useRef(0); // every child is entered and left as well
  const enter = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth.current += 1;
    setOver(true);
  };
  const leave = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    depth.current = Math.max(0, depth.current - 1);
    if (depth.current === 0) setOver(false);
  };
  const drop = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    sendFiles([...event.dataTransfer.files], { user, channel, thread, comment: "" });
  };
  return (
    <section
      className={className}
      data-testid={testid}
      aria-label={label}
      onDragEnter={enter}
      onDragOver={(event) => {
        if (hasFiles(event)) event.preventDefault();
      }}
      onDragLeave={leave}
      onDrop={drop}
    >
      {children}
      {over ? (
        <div className="drop-overlay" data-testid="file-drop">
          <p>
            <Icon name="file" />
            <strong>Drop to upload</strong>
            <span>into {into}</span>
          </p>
        </div>
      ) : null}
    </section>
  );
}
