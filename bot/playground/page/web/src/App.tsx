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
import { useTitle } from "./model/title";
import { isSingle, useNarrow } from "./model/window";
import { SidePanel } from "./world/SidePanel";

const KEY = "coldmigrate.map";

const mapWanted = (): boolean => {
  try {
    const kept = localStorage.getItem(KEY);
    return kept ? kept !== "closed" : !isSingle();
  } catch {
    return !isSingle();
  }
};

export function App() {
  const look = useLook();
  const ready = useWorkspace() !== null;
  const [map, setMap] = useState(mapWanted);
  const [menu, setMenu] = useState(false);
  const shared = useNarrow() && map && look.thread !== null;
  useTitle();
  const picked = (): void => {
    setMenu(false);
    if (isSingle()) setMap(false);
  };
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
          <Sidebar onPick={picked} />
          <main className="panes">
            {look.home ? <AppHome /> : <ChannelPane />}
            {shared ? null : <ThreadPane />}
          </main>
          {map ? <SidePanel withThread={shared} close={() => setMap(false)} /> : null}
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
