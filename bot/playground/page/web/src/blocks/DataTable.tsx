// `data_table`, which the renderer leaves empty: a caption, a head and rows. Cells are raw text, numbers or rich text.
import type { Block } from "../model/slack";
import { LibraryBlock } from "./LibraryBlocks";
import { Plain } from "./Plain";
import { textOf } from "./Text";

export function DataTable({ block }: { block: Block }) {
  const rows = (block.rows ?? []).filter((row): row is unknown[] => Array.isArray(row));
  const [head, ...body] = rows;
  const caption = textOf(block["caption"]);
  return (
    <div className="b-table" tabIndex={0} role="region" aria-label={caption || "Table"}>
      <table>
        {caption ? <caption>{caption}</caption> : null}
        <thead>
          <tr>{head?.map((cell, index) => <th key={index} scope="col">{drawnCell(cell)}</th>)}</tr>
        </thead>
        <tbody>
          {body.map((row, number) => (
            <tr key={number}>
              {row.map((cell, index) => (
                <td key={index} className={isNumber(cell) ? "number" : undefined}>
                  {drawnCell(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const isNumber = (cell: unknown): boolean =>
  typeof cell === "object" && cell !== null && (cell as { type?: unknown }).type === "raw_number";

function drawnCell(cell: unknown) {
  if (typeof cell === "object" && cell !== null) {
    const { type, value } = cell as { type?: unknown; value?: unknown };
    if (type === "rich_text") return <LibraryBlock block={cell as Block} />;
    if (type === "raw_number") return <Plain text={textOf(cell) || String(value ?? "")} />;
  }
  return <Plain text={textOf(cell)} />;
}
