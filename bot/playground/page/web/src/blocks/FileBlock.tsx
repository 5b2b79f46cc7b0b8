// A `file` block names a file by its external id; the file itself stands in the message's files.
import { Icon } from "../chat/Icon";
import type { Block } from "../model/slack";
import { visible } from "../text/visible";

export function FileBlock({ block }: { block: Block }) {
  const name = String(block["external_id"] ?? block["file_id"] ?? "file");
  return (
    <div className="file file-named">
      <span className="file-kind" aria-hidden="true">
        <Icon name="file" />
      </span>
      <bdi className="file-name">{visible(name)}</bdi>
    </div>
  );
}
