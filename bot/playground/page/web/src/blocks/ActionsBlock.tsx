import type { Block, BlockElement } from "../model/slack";
import { Element } from "./Element";

export function ActionsBlock({ block }: { block: Block }) {
  return (
    <div className="b-actions">
      {(block.elements ?? []).map((element, index) => (
        <Element key={(element as BlockElement).action_id ?? index} block={block} element={element as BlockElement} />
      ))}
    </div>
  );
}
