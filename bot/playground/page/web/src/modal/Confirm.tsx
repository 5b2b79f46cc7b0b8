// Draws the question that `ask` waits for.
import { useEffect, useRef } from "react";
import { Text, textOf } from "../blocks/Text";
import { useAsked } from "./confirm";

export function Confirm() {
  const asked = useAsked();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (asked && !dialog.current?.open) dialog.current?.showModal();
  }, [asked]);
  if (!asked) return null;
  const { question, answer } = asked;
  const style = question.style === "danger" ? "button button-danger button-full" : "button button-primary";
  return (
    <dialog
      ref={dialog}
      className="dialog confirm"
      aria-labelledby="confirm-title"
      onCancel={(event) => {
        event.preventDefault();
        answer(false);
      }}
    >
      <h2 id="confirm-title">
        <bdi>{textOf(question.title) || "Are you sure?"}</bdi>
      </h2>
      <div className="dialog-body">
        <Text of={question.text} />
      </div>
      <footer className="dialog-foot">
        <button type="button" className="button" data-testid="confirm-no" onClick={() => answer(false)}>
          <bdi>{textOf(question.deny) || "Cancel"}</bdi>
        </button>
        <button type="button" className={style} data-testid="confirm-yes" autoFocus onClick={() => answer(true)}>
          <bdi>{textOf(question.confirm) || "OK"}</bdi>
        </button>
      </footer>
    </dialog>
  );
}
