// The value of a control: held by the modal it stands in, or sent at once and remembered by the control itself.
import { useEffect, useState } from "react";
import type { Value } from "../model/protocol";
import { useSurface } from "./place";
import { initialValue } from "./values";
import type { ElementProps } from "./Element";

export function useValue({ element, control }: ElementProps): [Value, (value: Value) => void] {
  const surface = useSurface();
  const [own, setOwn] = useState<Value>(() => initialValue(element));
  const began = JSON.stringify(initialValue(element));
  // A redrawn message says anew what is chosen.
  useEffect(() => setOwn(JSON.parse(began) as Value), [began]);
  const { form } = surface;
  if (form) return [form.held(control, element), (value) => form.hold(control, value)];
  return [
    own,
    (value) => {
      setOwn(value);
      void surface.touch({ control, element, value });
    },
  ];
}
