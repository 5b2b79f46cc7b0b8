// What stands in an empty channel: what it is for and what to type first.
import type { Channel } from "../model/protocol";
import { useWorkspace } from "../model/store";

export function Welcome({ channel }: { channel: Channel }) {
  const workspace = useWorkspace();
  const commands = workspace?.commands ?? [];
  return (
    <div className="message-list-frame">
      <div className="welcome">
        <h2>{channel.is_im ? `This is your conversation with ${workspace?.app.name}` : `Welcome to #${channel.name}`}</h2>
        <p>{channel.topic || "Nothing was said here yet."}</p>
        {channel.is_archived || !commands.length ? null : (
          <>
            <p>Type one of these below, or just a slash to see them:</p>
            <ul>
              {commands.map((one) => (
                <li key={one.command}>
                  <code>
                    {one.command} {one.usage_hint}
                  </code>
                  <span>{one.description}</span>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </div>
  );
}
