import { useId } from "react";
import type { Block } from "../model/slack";
import { Element } from "./Element";
import { useSurface } from "./place";
import { textOf } from "./Text";

export function InputBlock({ block }: { block: Block }) {
  const id = useId();
  const error = useSurface().form?.errors[block.block_id ?? ""];
  if (!block.element) return null;
  return (
    <div className={error ? "b-input b-input-wrong" : "b-input"}>
      <label htmlFor={id}>
        <bdi>{textOf(block.label)}</bdi>
        {block.optional ? <span className="optional"> (optional)</span> : null}
      </label>
      <Element block={block} element={block.element} id={id} />
      {error ? (
        <p className="input-error" role="alert">
          {error}
        </p>
      ) : null}
      {block.hint ? <p className="input-hint">{textOf(block.hint)}</p> : null}
    </div>
  );
}
