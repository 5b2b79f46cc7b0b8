// Pictures. Only inline ones are drawn; the page loads nothing from elsewhere and says so instead.
import { Icon } from "../chat/Icon";
import type { Block, BlockElement } from "../model/slack";
import { safeImage } from "../text/urls";
import { SafeLink } from "./SafeLink";
import { textOf } from "./Text";
import { Plain } from "./Plain";

export function ImageBlock({ block }: { block: Block }) {
  const title = textOf(block.title);
  const url = block.image_url ?? block["video_url"] ?? block["title_url"];
  return (
    <figure className="b-image">
      {title ? (
        <figcaption>
          <Plain text={title} />
        </figcaption>
      ) : null}
      <Picture of={{ type: "image", image_url: String(url ?? ""), alt_text: block.alt_text ?? title }} />
    </figure>
  );
}

export function Picture({ of, small = false }: { of: BlockElement; small?: boolean }) {
  const source = safeImage(of.image_url);
  const alternative = of.alt_text ?? "picture";
  if (source) return <img className={small ? "picture-small" : "picture"} src={source} alt={alternative} />;
  return (
    <span className={small ? "picture-missing picture-missing-small" : "picture-missing"}>
      <SafeLink href={of.image_url}>
        <Icon name="picture" /> <bdi>{alternative}</bdi>
      </SafeLink>
    </span>
  );
}
