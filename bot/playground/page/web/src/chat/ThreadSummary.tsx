import type { Message } from "../model/slack";
import { useWorkspace } from "../model/store";
import { userOf } from "../model/state";
import { clock, counted } from "../text/format";
import { Avatar } from "./Avatar";

export function ThreadSummary({ message, open }: { message: Message; open: () => void }) {
  const workspace = useWorkspace();
  return (
    <button type="button" className="thread-summary" data-testid="thread-summary" onClick={open}>
      {(message.reply_users ?? []).slice(0, 4).map((id) => (
        <Avatar key={id} id={id} name={userOf(workspace, id)?.real_name || userOf(workspace, id)?.name || id} size="small" />
      ))}
      <strong>{counted(message.reply_count ?? 0, "reply", "replies")}</strong>
      {message.latest_reply ? <span>Last at {clock(message.latest_reply)}</span> : <span>View thread</span>}
    </button>
  );
}
