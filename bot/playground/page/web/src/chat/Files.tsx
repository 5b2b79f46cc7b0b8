import type { SlackFile } from "../model/slack";
import { bytes } from "../text/format";
import { visible } from "../text/visible";
import { downloadPath } from "../wire/files";
import { Icon } from "./Icon";

// The one kind that our server gives as what it is; all others are for keeping.
const isPicture = (file: SlackFile): boolean => file.mimetype === "image/png";

export function Files({ files }: { files: SlackFile[] }) {
  return (
    <ul className="files">
      {files.map((file) => (
        <li key={file.id} className={isPicture(file) ? "file file-pictured" : "file"} data-testid="file">
          {isPicture(file) ? (
            <img className="file-picture" src={downloadPath(file.id, file.name)} alt={file.alt_txt || visible(file.title || file.name)} loading="lazy" />
          ) : null}
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
