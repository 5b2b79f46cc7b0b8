// The last guard: whatever drew a link, a click on one that leads to a forbidden scheme goes nowhere.
import { safeUrl } from "../text/urls";

const OWN = /^\/ui\/files\//;

export function guardLinks(): void {
  const guard = (event: Event): void => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const href = link?.getAttribute("href");
    if (!href || OWN.test(href) || safeUrl(href)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("click", guard, { capture: true });
  document.addEventListener("auxclick", guard, { capture: true });
  // A file dropped beside the panes would make the browser leave the page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
}
