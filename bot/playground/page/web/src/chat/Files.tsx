import type { SlackFile } from "../model/slack";
import { bytes } from "../text/format";
import { visible } from "../text/visible";
import { downloadPath } from "../wire/files";
import { Icon } from "./Icon";

export function Files({ files }: { files: SlackFile[] }) {
  return (
    <ul className="files">
      {files.map((file) => (
        <li key={file.id} className="file" data-testid="file">
          <span className="file-kind" aria-hidden="true">
            <Icon name={/^(gz|tgz|zip|tar)/.test(file.filetype) ? "archive" : "file"} />
          </span>
          <span className="file-words">
            <bdi className="file-name">{visible(file.name)}</bdi>
            <small>
              {bytes(file.size)} · <bdi>{visible(file.filetype || file.mimetype || "file")}</bdi>
            </small>
          </span>
          <a className="button button-small" href={downloadPath(file.id, file.name)} download={file.name} aria-label={`Download ${visible(file.name)}`}>
            Download
          </a>
        </li>
      ))}
    </ul>
  );
}
