// Over everything: what this page is, what time it is in the played world, and how the page looks.
import { useEffect, useMemo, useState } from "react";
import { useStore } from "../model/store";
import { chooseTheme, useTheme } from "../model/theme";
import { duration } from "../text/format";
import { Icon } from "./Icon";

interface TopBarProps {
  map: boolean;
  setMap: (open: boolean) => void;
  toggleMenu: () => void;
}

export function TopBar({ map, setMap, toggleMenu }: TopBarProps) {
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <header className="topbar">
      <button type="button" className="icon-button menu-button" aria-label="Channels" onClick={toggleMenu}>
        <Icon name="menu" />
      </button>
      <span className="topbar-title">
        coldmigrate <span>demo</span>
      </span>
      <PlayedTime />
      <button type="button" className="icon-button" data-testid="theme-toggle" aria-label={`Switch to ${other}`} title={`Switch to ${other}`} onClick={() => chooseTheme(other)}>
        <Icon name={theme === "dark" ? "sun" : "moon"} />
      </button>
      <button type="button" className={map ? "topbar-map topbar-map-on" : "topbar-map"} data-testid="map-toggle" aria-pressed={map} onClick={() => setMap(!map)}>
        <Icon name="map" /> Sites
      </button>
    </header>
  );
}

const NOW = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function PlayedTime() {
  const now = useGoingOn(useStore((state) => state.parts.world?.now));
  const ahead = useStore((state) => state.parts.world?.advanced_s ?? 0);
  if (!now) return <span className="played-time" />;
  return (
    <span className="played-time" title="The time in the played world">
      {NOW.format(now)}
      {ahead >= 1 ? <em>{duration(ahead)} ahead</em> : null}
    </span>
  );
}

/** The world says its time when something happens there; between, its clock goes on, unless nobody is there to say. */
function useGoingOn(said: string | undefined): Date | null {
  const lost = useStore((state) => state.connection === "lost");
  const ahead = useMemo(() => (said ? Date.parse(said) - Date.now() : 0), [said]);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (lost) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [lost, said]);
  return said ? new Date(now + ahead) : null;
}
