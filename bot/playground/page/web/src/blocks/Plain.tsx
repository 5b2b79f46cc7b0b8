// plain_text: shown as it is. The renderer would parse it as mrkdwn, so it never sees it.
import { memo } from "react";

export const Plain = memo(function Plain({ text }: { text: string }) {
  return <bdi className="plain">{text}</bdi>;
});
