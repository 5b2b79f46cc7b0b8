import type { Message } from "../model/slack";
import { useLook, useWorkspace } from "../model/store";
import { userOf } from "../model/state";
import { drawn } from "../text/emoji";
import { react, report } from "../wire/gestures";

export function Reactions({ channel, message }: { channel: string; message: Message }) {
  const me = useLook().user;
  const workspace = useWorkspace();
  return (
    <div className="reactions">
      {(message.reactions ?? []).map((reaction) => {
        const mine = reaction.users.includes(me);
        const who = reaction.users.map((id) => userOf(workspace, id)?.name ?? id).join(", ");
        return (
          <button
            key={reaction.name}
            type="button"
            className={mine ? "reaction reaction-mine" : "reaction"}
            aria-pressed={mine}
            title={`${who} reacted with :${reaction.name}:`}
            onClick={() => report(react(channel, message.ts, reaction.name))}
          >
            {drawn(reaction.name)} <span>{reaction.count}</span>
          </button>
        );
      })}
    </div>
  );
}
