// The page: workspace, channel, thread, and beside them the world. Which of them fit is decided by the window's width.
import { useEffect, useState } from "react";
import { AppHome } from "./chat/AppHome";
import { ChannelPane } from "./chat/ChannelPane";
import { ConnectionBanner } from "./chat/ConnectionBanner";
import { Notes } from "./chat/Notes";
import { Sidebar } from "./chat/Sidebar";
import { ThreadPane } from "./chat/ThreadPane";
import { TopBar } from "./chat/TopBar";
import { Confirm } from "./modal/Confirm";
import { ModalStack } from "./modal/ModalStack";
import { useLook, useWorkspace } from "./model/store";
import { SidePanel } from "./world/SidePanel";

const KEY = "coldmigrate.map";

const mapWanted = (): boolean => {
  try {
    return localStorage.getItem(KEY) !== "closed";
  } catch {
    return true;
  }
};

export function App() {
  const look = useLook();
  const ready = useWorkspace() !== null;
  const [map, setMap] = useState(mapWanted);
  const [menu, setMenu] = useState(false);
  useEffect(() => {
    try {
      localStorage.setItem(KEY, map ? "open" : "closed");
    } catch {
      // Not remembered.
    }
  }, [map]);
  const classes = ["page", map ? "with-map" : "", look.thread ? "with-thread" : "", menu ? "with-menu" : ""];
  return (
    <div className={classes.filter(Boolean).join(" ")}>
      <TopBar map={map} setMap={setMap} toggleMenu={() => setMenu(!menu)} />
      <ConnectionBanner />
      {ready ? (
        <div className="columns">
          <Sidebar onPick={() => setMenu(false)} />
          <main className="panes">
            {look.home ? <AppHome /> : <ChannelPane />}
            <ThreadPane />
          </main>
          {map ? <SidePanel close={() => setMap(false)} /> : null}
        </div>
      ) : (
        <p className="starting" role="status">
          Waiting for the demo…
        </p>
      )}
      <ModalStack />
      <Confirm />
      <Notes />
    </div>
  );
}
