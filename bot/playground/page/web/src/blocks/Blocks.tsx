// The blocks of a message, a Home tab or a modal. Each stands in a wrapper that knows its block_id.
import { memo, type MouseEvent } from "react";
import type { Block, BlockElement } from "../model/slack";
import { ActionsBlock } from "./ActionsBlock";
import { ContextBlock } from "./ContextBlock";
import { DataTable } from "./DataTable";
import { FileBlock } from "./FileBlock";
import { ImageBlock } from "./ImageBlock";
import { InputBlock } from "./InputBlock";
import { LibraryBlock } from "./LibraryBlocks";
import { Plain } from "./Plain";
import { useSurface, type Surface } from "./place";
import { SectionBlock } from "./SectionBlock";
import { textOf } from "./Text";

export function Blocks({ blocks }: { blocks: Block[] }) {
  return (
    <div className="blocks">
      {blocks.map((block, index) => (
        <OneBlock key={block.block_id ?? index} block={block} />
      ))}
    </div>
  );
}

const OneBlock = memo(function OneBlock({ block }: { block: Block }) {
  const surface = useSurface();
  return (
    <div
      className={`block block-${/^[a-z_]+$/.test(block.type) ? block.type : "unknown"}`}
      data-block-id={block.block_id}
      onClick={(event) => delegated(event, block, surface)}
    >
      {drawn(block)}
    </div>
  );
});

function drawn(block: Block) {
  switch (block.type) {
    case "header":
      return (
        <h3 className="b-header">
          <Plain text={textOf(block.text)} />
        </h3>
      );
    case "divider":
      return <hr className="b-divider" />;
    case "section":
      return <SectionBlock block={block} />;
    case "context":
      return <ContextBlock block={block} />;
    case "actions":
      return <ActionsBlock block={block} />;
    case "input":
      return <InputBlock block={block} />;
    case "image":
    case "video":
      return <ImageBlock block={block} />;
    case "file":
      return <FileBlock block={block} />;
    case "data_table":
      return <DataTable block={block} />;
    default:
      return <LibraryBlock block={block} />;
  }
}

/** Buttons that the renderer drew (in cards, carousels, context actions) carry their action_id as DOM id. */
function delegated(event: MouseEvent<HTMLElement>, block: Block, surface: Surface): void {
  const button = event.target instanceof Element ? event.target.closest<HTMLElement>(".library button[id]") : null;
  if (!button) return;
  event.preventDefault();
  event.stopPropagation();
  const element: BlockElement = { type: "button", action_id: button.id };
  void surface.touch({ control: { block_id: block.block_id ?? "", action_id: button.id }, element });
}
