// One modal: title, blocks, submit and close. It holds what is typed until the app takes it.
import { useEffect, useMemo, useRef, useState, type FormEvent } from "react";
import { Blocks } from "../blocks/Blocks";
import { SurfaceContext, type Surface } from "../blocks/place";
import { surfaceAt } from "../blocks/surface";
import { Plain } from "../blocks/Plain";
import { textOf } from "../blocks/Text";
import { begunIn, collected, holders, initialValue, problems } from "../blocks/values";
import { Icon } from "../chat/Icon";
import { Avatar } from "../chat/Avatar";
import type { OpenView } from "../model/protocol";
import { conversationOf } from "../model/state";
import { store, useWorkspace } from "../model/store";
import { closeView, report, submitView, type Values } from "../wire/gestures";

interface ModalProps {
  open: OpenView;
  onTop: boolean;
  depth: number;
}

export function Modal({ open, onTop, depth }: ModalProps) {
  const [from] = useState(() => conversationOf(store.get()));
  const view = useMemo(() => ({ ...open.view, blocks: begunIn(open.view.blocks, from) }), [open.view, from]);
  const app = useWorkspace()?.app;
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState<Values>({});
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [sending, setSending] = useState(false);
  const loading = open.loading || sending;
  useEffect(() => {
    const box = dialog.current;
    if (onTop && box && !box.open) {
      box.showModal();
      if (!box.querySelector(".dialog-body :focus")) box.querySelector<HTMLElement>(".dialog-body .field")?.focus();
    }
    if (!onTop && box?.open) box.close();
  }, [onTop]);
  useEffect(() => setWrong({}), [open.errors]);

  const base = useMemo(() => surfaceAt({ in: "view", view: open.id }), [open.id]);
  const surface: Surface = {
    ...base,
    form: {
      errors: { ...open.errors, ...wrong },
      held: ({ block_id, action_id }, element) => typed[block_id]?.[action_id] ?? initialValue(element),
      hold: (control, value) => {
        const { block_id, action_id } = control;
        setTyped((before) => ({ ...before, [block_id]: { ...before[block_id], [action_id]: value } }));
        setWrong(({ [block_id]: _, ...others }) => others);
        const holder = holders(view.blocks).find((one) => one.block_id === block_id && one.action_id === action_id);
        // Outside an input block a choice is an action at once, inside only if the app asked for that.
        if (holder && !isTyped(holder.element.type) && (holder.block.type !== "input" || holder.block.dispatch_action)) {
          void base.touch({ control, element: holder.element, value });
        }
      },
    },
  };
  const close = (): void => report(closeView(open.id));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (loading) return;
    const values = collected(view.blocks, typed);
    const found = problems(view.blocks, values);
    setWrong(found);
    if (Object.keys(found).length) {
      requestAnimationFrame(() => dialog.current?.querySelector<HTMLElement>(".b-input-wrong .field")?.focus());
      return;
    }
    setSending(true);
    const sent = submitView(open.id, values);
    report(sent);
    sent.catch(() => undefined).finally(() => setSending(false));
  };
  const title = textOf(view.title);
  return (
    <dialog
      ref={dialog}
      className="dialog modal"
      data-testid="modal"
      data-view-id={open.id}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <form onSubmit={submit} noValidate>
        <header className="dialog-head">
          {app ? <Avatar id={app.user_id} name={app.name} size="small" /> : null}
          <h2>
            <Plain text={title} />
          </h2>
          <button type="button" className="icon-button" aria-label={depth > 1 ? "Back" : "Close"} onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        <div className="dialog-body" aria-busy={loading}>
          <SurfaceContext value={surface}>
            <Blocks blocks={view.blocks} />
          </SurfaceContext>
        </div>
        <footer className="dialog-foot">
          <button type="button" className="button" data-testid="modal-close" onClick={close}>
            <bdi>{textOf(view.close) || (view.submit ? "Cancel" : "Close")}</bdi>
          </button>
          {view.submit ? (
            <button type="submit" className="button button-primary" data-testid="modal-submit" disabled={loading}>
              {loading ? <span className="spinner" aria-label="Working" /> : null}
              <bdi>{textOf(view.submit)}</bdi>
            </button>
          ) : null}
        </footer>
      </form>
    </dialog>
  );
}

const isTyped = (type: string): boolean => type.endsWith("_input");
