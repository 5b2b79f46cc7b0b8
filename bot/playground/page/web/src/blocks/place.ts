// Where blocks stand and what touching them does. Given by whoever draws them: a message, the Home tab or a modal.
import { createContext, useContext } from "react";
import type { OptionsAnswer, Value } from "../model/protocol";
import type { BlockElement } from "../model/slack";
import type { Control } from "../wire/gestures";

export interface Touch {
  control: Control;
  element: BlockElement;
  /** Undefined for a button: it says all by itself. */
  value?: Value;
}

export interface Surface {
  /** A control was used; resolves when the app was told, or when the person thought better of it. */
  touch(touch: Touch): Promise<void>;
  options(control: Control, query: string): Promise<OptionsAnswer>;
  /** A modal holds what was chosen and typed until it is submitted. Absent elsewhere. */
  form?: Form;
}

export interface Form {
  held(control: Control, element: BlockElement): Value;
  hold(control: Control, value: Value): void;
  errors: Record<string, string>;
}

export const SurfaceContext = createContext<Surface | null>(null);

export function useSurface(): Surface {
  const surface = useContext(SurfaceContext);
  if (!surface) throw new Error("Blocks are drawn inside a surface.");
  return surface;
}
