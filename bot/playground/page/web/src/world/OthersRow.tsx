// A move that nobody asked the bot for: somebody makes it in the vSphere Client.
import { useState } from "react";
import type { World } from "../model/protocol";
import { visible } from "../text/visible";
import { WorldButton } from "./WorldButton";

interface Movable {
  vm: string;
  site: string;
}

export function OthersRow({ world }: { world: World }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const all = movable(world);
  const found = all.find(({ vm }) => vm === chosen) ?? all[0];
  if (!found) return null;
  return (
    <div className="row">
      <span>
        Move{" "}
        <select aria-label="The VM that somebody else moves" value={found.vm} onChange={(event) => setChosen(event.target.value)}>
          {all.map(({ vm }) => (
            <option key={vm} value={vm}>
              {visible(vm)}
            </option>
          ))}
        </select>
      </span>
      <WorldButton change={{ order: "relocate", args: found }} label={`Let somebody else move ${found.vm} to ${found.site}`}>
        to {visible(found.site)}
      </WorldButton>
    </div>
  );
}

/** What is powered off, bears a name of its own and does not move already, each with the site that it would go to. */
function movable(world: World): Movable[] {
  const vms = world.sites.flatMap((site) => site.vms.map((vm) => ({ ...vm, site: site.name })));
  const moving = new Set(world.moves.filter((move) => move.state === "queued" || move.state === "running").map((move) => move.vm));
  return vms
    .filter((vm) => vm.power === "poweredOff" && !moving.has(vm.name) && vms.filter(({ name }) => name === vm.name).length === 1)
    .flatMap((vm) => {
      const other = world.sites.find((site) => site.name !== vm.site);
      return other ? [{ vm: vm.name, site: other.name }] : [];
    })
    .sort((one, other) => one.vm.localeCompare(other.vm));
}
