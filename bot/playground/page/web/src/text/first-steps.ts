// What a newcomer may type first in the world of the demo. Pure; in another world it is less, or nothing.
import type { World } from "../model/protocol";

export interface Step {
  line: string;
  then: string;
}

const STEPS = [
  { vm: "web01", site: "site2", then: "Approve its plan in the channel, and watch it cross the link." },
  { vm: "db01", site: "site2", then: "This one dies at 63 %: the link begins to drop packets. Its thread says why, and what to do." },
];

/** The steps that can be taken: their VM is there, and not yet where it is to go. */
export function firstSteps(world: World | null): Step[] {
  const siteOf = (vm: string): string | undefined => world?.sites.find((site) => site.vms.some((one) => one.name === vm))?.name;
  const sites = new Set(world?.sites.map((site) => site.name));
  return STEPS.filter(({ vm, site }) => sites.has(site) && siteOf(vm) !== undefined && siteOf(vm) !== site).map(
    ({ vm, site, then }) => ({ line: `/coldmigrate ${vm} ${site}`, then }),
  );
}
