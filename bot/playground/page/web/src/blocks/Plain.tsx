// plain_text: shown as it is. The renderer would parse it as mrkdwn, so it never sees it.
import { Fragment, memo } from "react";

const PIECE = 500;

/** Browsers take seconds to break a word of 100 kB; in pieces they take none. */
const pieces = (text: string): string[] =>
  text.length <= PIECE ? [text] : (text.match(new RegExp(`[^]{1,${PIECE}}`, "gu")) ?? []);

export const Plain = memo(function Plain({ text }: { text: string }) {
  return (
    <bdi className="plain">
      {pieces(text).map((piece, index) => (
        <Fragment key={index}>
          {index ? <wbr /> : null}
          {piece}
        </Fragment>
      ))}
    </bdi>
  );
});
