// Passing remarks, bottom left, gone after a while.
import { useEffect } from "react";
import type { Note } from "../model/state";
import { store, useStore } from "../model/store";
import { Icon } from "./Icon";

const STAYS = 7000;

export function Notes() {
  const notes = useStore((state) => state.notes);
  return (
    <div className="notes" aria-live="polite">
      {notes.map((note) => (
        <OneNote key={note.id} note={note} />
      ))}
    </div>
  );
}

function OneNote({ note }: { note: Note }) {
  const dismiss = (): void => store.dispatch({ do: "dismiss", id: note.id });
  useEffect(() => {
    const timer = setTimeout(() => store.dispatch({ do: "dismiss", id: note.id }), STAYS);
    return () => clearTimeout(timer);
  }, [note.id]);
  return (
    <div className={`note note-${note.level}`} role={note.level === "error" ? "alert" : "status"} data-testid="note">
      <bdi>{note.text}</bdi>
      <button type="button" className="icon-button" aria-label="Dismiss" onClick={dismiss}>
        <Icon name="close" />
      </button>
    </div>
  );
}
