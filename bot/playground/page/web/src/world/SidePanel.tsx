// Beside the workspace: the sites and what breaks them, and what crosses the wire to Slack.
import { useState } from "react";
import { Icon } from "../chat/Icon";
import { Inspector } from "./Inspector";
import { WorldMap } from "./WorldMap";

type Tab = "map" | "inspector";

export function SidePanel({ close }: { close: () => void }) {
  const [tab, setTab] = useState<Tab>("map");
  const one = (name: Tab, label: string) => (
    <button type="button" role="tab" aria-selected={tab === name} data-testid={`tab-${name}`} onClick={() => setTab(name)}>
      {label}
    </button>
  );
  return (
    <aside className="pane side-panel" aria-label="The sites">
      <header className="pane-head side-head">
        <div className="tabs" role="tablist" aria-label="Beside the workspace">
          {one("map", "Sites")}
          {one("inspector", "Inspector")}
        </div>
        <button type="button" className="icon-button" aria-label="Close the sites" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {tab === "map" ? <WorldMap /> : <Inspector />}
    </aside>
  );
}
