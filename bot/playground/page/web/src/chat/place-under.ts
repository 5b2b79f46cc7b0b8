// Where something that hangs on a control may stand, so that all of it is inside the window.

const GAP = 4;
const EDGE = 8;

export function placeUnder(box: HTMLElement, anchor: HTMLElement): void {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const below = at.bottom + GAP;
  const fitsBelow = below + height <= window.innerHeight - EDGE;
  const top = fitsBelow ? below : Math.max(EDGE, at.top - GAP - height);
  const left = Math.max(EDGE, Math.min(at.left, window.innerWidth - width - EDGE));
  box.style.top = `${top}px`;
  box.style.left = `${left}px`;
}
