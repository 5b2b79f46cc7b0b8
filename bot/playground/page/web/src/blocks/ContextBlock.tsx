import type { Block, BlockElement, TextObject } from "../model/slack";
import { Picture } from "./ImageBlock";
import { Text } from "./Text";

export function ContextBlock({ block }: { block: Block }) {
  return (
    <div className="b-context">
      {(block.elements ?? []).map((part, index) =>
        part.type === "image" ? (
          <Picture key={index} of={part as BlockElement} small />
        ) : (
          <span key={index}>
            <Text of={part as TextObject} />
          </span>
        ),
      )}
    </div>
  );
}
