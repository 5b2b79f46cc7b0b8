// Beside the workspace: the sites and what breaks them, what crosses the wire to Slack, and, where the window is too
// narrow for one more pane, the thread that somebody reads.
import { useEffect, useState } from "react";
import { Icon } from "../chat/Icon";
import { closeThread, ThreadPane } from "../chat/ThreadPane";
import { useLook } from "../model/store";
import { Inspector } from "./Inspector";
import { WorldMap } from "./WorldMap";

type Tab = "thread" | "map" | "inspector";

interface PanelProps {
  /** Whether the thread is shown in here. */
  withThread: boolean;
  close: () => void;
}

export function SidePanel({ withThread, close }: PanelProps) {
  const { thread } = useLook();
  const [chosen, setChosen] = useState<Tab>("map");
  useEffect(() => {
    if (withThread) setChosen("thread");
  }, [withThread, thread]);
  const tab = chosen === "thread" && !withThread ? "map" : chosen;
  const one = (name: Tab, label: string) => (
    <button type="button" role="tab" aria-selected={tab === name} data-testid={`tab-${name}`} onClick={() => setChosen(name)}>
      {label}
    </button>
  );
  return (
    <aside className="pane side-panel" aria-label="The sites">
      <header className="pane-head side-head">
        <div className="tabs" role="tablist" aria-label="Beside the workspace">
          {withThread ? one("thread", "Thread") : null}
          {one("map", "Sites")}
          {one("inspector", "Inspector")}
        </div>
        <button type="button" className="icon-button" aria-label={tab === "thread" ? "Close thread" : "Close the sites"} onClick={tab === "thread" ? closeThread : close}>
          <Icon name="close" />
        </button>
      </header>
      {tab === "thread" ? <ThreadPane bare /> : null}
      {tab === "map" ? <WorldMap /> : null}
      {tab === "inspector" ? <Inspector /> : null}
    </aside>
  );
}
