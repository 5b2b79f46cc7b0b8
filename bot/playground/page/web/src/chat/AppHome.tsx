// The app's own place: its Home tab, and the direct messages with it.
import { useMemo } from "react";
import { Blocks } from "../blocks/Blocks";
import { SurfaceContext } from "../blocks/place";
import { surfaceAt } from "../blocks/surface";
import { directChannel } from "../model/state";
import { store, useLook, useStore, useWorkspace } from "../model/store";
import { Avatar } from "./Avatar";
import { ChannelBody } from "./ChannelPane";
import { DropZone } from "./DropZone";

export function AppHome() {
  const look = useLook();
  const workspace = useWorkspace();
  if (!workspace) return null;
  const direct = directChannel(workspace, look.user);
  const onHome = look.home === "home";
  const tab = (which: "home" | "messages", label: string) => (
    <button type="button" role="tab" aria-selected={look.home === which} data-testid={`app-tab-${which}`} onClick={() => store.dispatch({ do: "home", tab: which })}>
      {label}
    </button>
  );
  return (
    <DropZone className="pane channel-pane app-home" testid="app-home" user={look.user} channel={direct?.id ?? ""} thread={null} into={workspace.app.name} label={workspace.app.name}>
      <header className="pane-head app-head">
        <h1>
          <Avatar id={workspace.app.user_id} name={workspace.app.name} size="medium" />
          <bdi>{workspace.app.name}</bdi>
        </h1>
        <div className="tabs" role="tablist" aria-label="App">
          {tab("home", "Home")}
          {tab("messages", "Messages")}
        </div>
      </header>
      {onHome ? <HomeTab /> : null}
      {!onHome && direct ? <ChannelBody channel={direct} title={workspace.app.name} user={look.user} /> : null}
      {!onHome && !direct ? <p className="empty">There is no conversation with the app here.</p> : null}
    </DropZone>
  );
}

function HomeTab() {
  const home = useStore((state) => state.parts.home);
  const surface = useMemo(() => surfaceAt({ in: "home" }), []);
  return (
    <div className="home-scroll">
      {home ? (
        <SurfaceContext value={surface}>
          <Blocks blocks={home.blocks} />
        </SurfaceContext>
      ) : (
        <p className="empty">The app has not published a Home tab for you.</p>
      )}
    </div>
  );
}
