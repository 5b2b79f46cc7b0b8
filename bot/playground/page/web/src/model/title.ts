// The window's title: where one is, and whether something new was said elsewhere.
import { useEffect } from "react";
import { visible } from "../text/visible";
import { conversationOf, isUnread, visibleChannels, type State } from "./state";
import { useStore } from "./store";

const NAME = "coldmigrate demo";

export function titleOf(state: State): string {
  const { workspace } = state.parts;
  if (state.connection === "lost") return `(stopped) ${NAME}`;
  if (!workspace) return NAME;
  const here = conversationOf(state);
  const channel = workspace.channels.find((one) => one.id === here);
  const elsewhere = visibleChannels(workspace, state.look.user).some((one) => one.id !== here && isUnread(state, one));
  const place = channel && !channel.is_im ? `#${visible(channel.name)}` : workspace.app.name;
  return `${elsewhere ? "• " : ""}${place} | ${NAME}`;
}

export function useTitle(): void {
  const title = useStore(titleOf);
  useEffect(() => {
    document.title = title;
  }, [title]);
}
