// People, channels and groups inside a text, by the names of this workspace.
import { useLook, useWorkspace } from "../model/store";
import { visible } from "../text/visible";

export function UserMention({ id }: { id: string }) {
  const workspace = useWorkspace();
  const me = useLook().user === id;
  const name = workspace?.users.find((user) => user.id === id)?.name ?? id;
  return <span className={me ? "mention mention-me" : "mention"}>@{visible(name)}</span>;
}

export function ChannelMention({ id }: { id: string }) {
  const name = useWorkspace()?.channels.find((channel) => channel.id === id)?.name ?? id;
  return <span className="mention">#{visible(name)}</span>;
}

export function GroupMention({ id }: { id: string }) {
  const name = useWorkspace()?.groups.find((group) => group.id === id)?.handle ?? id;
  return <span className="mention">@{visible(name)}</span>;
}
