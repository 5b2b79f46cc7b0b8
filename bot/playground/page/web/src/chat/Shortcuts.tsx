// The app's global shortcuts. In Slack they hide behind the composer's lightning; a newcomer finds them here.
import { useWorkspace } from "../model/store";
import { report, shortcut } from "../wire/gestures";
import { Icon } from "./Icon";

export function Shortcuts() {
  const shortcuts = (useWorkspace()?.shortcuts ?? []).filter((one) => one.type === "global");
  if (!shortcuts.length) return null;
  return (
    <>
      <h2>Shortcuts</h2>
      <ul>
        {shortcuts.map((one) => (
          <li key={one.callback_id}>
            <button type="button" className="entry" title={one.description} data-testid={`shortcut-${one.callback_id}`} onClick={() => report(shortcut(one.callback_id))}>
              <Icon name="bolt" />
              <span>{one.name}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
