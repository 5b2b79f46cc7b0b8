// What stands in an empty channel: what it is for and what to type first.
import { Fragment, useMemo } from "react";
import type { Channel } from "../model/protocol";
import { useStore, useWorkspace } from "../model/store";
import { firstSteps } from "../text/first-steps";
import { visible } from "../text/visible";

interface WelcomeProps {
  channel: Channel;
  /** Puts a line where one types. */
  offer: (line: string) => void;
}

export function Welcome({ channel, offer }: WelcomeProps) {
  const workspace = useWorkspace();
  const commands = workspace?.commands ?? [];
  const isFirst = workspace?.channels[0]?.id === channel.id;
  const title = channel.is_im ? `This is your conversation with ${workspace?.app.name}` : `Welcome to #${visible(channel.name)}`;
  return (
    <div className="message-list-frame">
      <div className="welcome">
        <h2>{title}</h2>
        {isFirst ? null : <p>{channel.topic || "Nothing was said here yet."}</p>}
        {channel.is_archived ? null : isFirst ? (
          <FirstSteps offer={offer} />
        ) : commands.length ? (
          <p>
            {channel.is_im ? "Drop a log here, or paste it, and it is diagnosed. " : null}
            Type <code>/</code> to see the commands:{" "}
            {commands.map((one, at) => (
              <Fragment key={one.command}>
                {at ? ", " : null}
                <code>{one.command} help</code>
              </Fragment>
            ))}
          </p>
        ) : null}
      </div>
    </div>
  );
}

function FirstSteps({ offer }: { offer: (line: string) => void }) {
  const world = useStore((state) => state.parts.world);
  const steps = useMemo(() => firstSteps(world), [world]);
  return (
    <>
      <p>A Slack, two sites and their vCenter are played on this machine; the bot and its worker are real. Nothing leaves it.</p>
      <ol data-testid="first-steps">
        {steps.map((step) => (
          <li key={step.line}>
            <button type="button" className="first-step" title="Put this where you type" onClick={() => offer(step.line)}>
              <code>{step.line}</code>
            </button>
            <span>{step.then}</span>
          </li>
        ))}
        <li>
          <strong>Ask why</strong>
          <span>
            <code>/diagnose db01</code>, or <code>@coldmigrate diagnose</code> in a thread; <em>Diagnose this log</em> in a message's menu; a log dropped in a
            message to the app.
          </span>
        </li>
        <li>
          <strong>Break something</strong>
          <span>Under Sites: make the link lossy, block port 902, fill a datastore, kill the worker, move the clock.</span>
        </li>
      </ol>
      <p>
        <code>/coldmigrate</code> alone opens a form; <code>/coldmigrate help</code> says what you may do.
      </p>
    </>
  );
}
