// The two ways to touch: asked first if the control wants that, then sent from where it stands.
import { ask } from "../modal/confirm";
import { options, report, touch, type Place } from "../wire/gestures";
import type { Surface, Touch } from "./place";

export function surfaceAt(place: Place): Surface {
  return {
    touch: (touched) => touchAt(place, touched),
    options: (control, query) => options(place, control, query),
  };
}

async function touchAt(place: Place, { control, element, value }: Touch): Promise<void> {
  if (element.confirm && !(await ask(element.confirm))) return;
  const sent = touch(place, control, value);
  report(sent);
  await sent.catch(() => undefined); // reported above; a button only wants to know that it is over
}
