// Every link on the page. An address that is not http, https or mail is only its text.
import type { ReactNode } from "react";
import { safeUrl } from "../text/urls";

export function SafeLink({ href, children }: { href: unknown; children: ReactNode }) {
  const url = safeUrl(href);
  if (!url) return <span className="link-refused">{children}</span>;
  return (
    <a className="link" href={url} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}
