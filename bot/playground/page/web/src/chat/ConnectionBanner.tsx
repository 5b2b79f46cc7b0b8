import { useEffect, useState } from "react";
import { useStore } from "../model/store";
import { reconnect } from "../wire/gestures";

/** Says that the connection is lost; a short blink of it is not worth a word. */
export function ConnectionBanner() {
  const lost = useStore((state) => state.connection === "lost");
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!lost) {
      setShown(false);
      return;
    }
    const timer = setTimeout(() => setShown(true), 300);
    return () => clearTimeout(timer);
  }, [lost]);
  if (!shown) return null;
  return (
    <div className="banner" role="alert" data-testid="connection-banner">
      <span>
        The demo does not answer. Is <code>coldmigrate demo</code> still running? What you typed is kept; trying again…
      </span>
      <button type="button" className="button button-small" onClick={reconnect}>
        Try now
      </button>
    </div>
  );
}
