// The sites, one under the other, with the links between them; below, the switches that break things.
import { Fragment } from "react";
import { useStore } from "../model/store";
import { LinkView } from "./LinkView";
import { linkBetween, otherLinks } from "./links";
import { SiteCard } from "./SiteCard";
import { Switches } from "./Switches";

export function WorldMap() {
  const world = useStore((state) => state.parts.world);
  if (!world) return <p className="empty">The sites are not up yet.</p>;
  const { sites, links, moves } = world;
  return (
    <div className="world" data-testid="map">
      <div className="map">
        {sites.map((site, index) => {
          const next = sites[index + 1];
          const link = next && linkBetween(links, site.name, next.name);
          return (
            <Fragment key={site.name}>
              <SiteCard site={site} vcenter={world.vcenters.find((one) => one.name === site.vcenter)} moves={moves} />
              {next && link ? <LinkView link={link} upper={site.name} lower={next.name} moves={moves} /> : null}
              {next && !link ? <p className="no-link">no link</p> : null}
            </Fragment>
          );
        })}
        {otherLinks(links, sites).map((link) => (
          <LinkView key={link.between.join()} link={link} upper={link.between[0]} lower={link.between[1]} moves={moves} apart />
        ))}
      </div>
      <Switches world={world} />
    </div>
  );
}
