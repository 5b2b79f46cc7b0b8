// Open modals. The top one is drawn; the others wait under it with what was typed in them.
import { useStore } from "../model/store";
import { Modal } from "./Modal";

export function ModalStack() {
  const views = useStore((state) => state.parts.views);
  const top = views?.at(-1);
  return views?.map((open) => <Modal key={open.id} open={open} onTop={open === top} depth={views.length} />) ?? null;
}
