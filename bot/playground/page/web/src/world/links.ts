// Which link joins which sites, and how a link is drawn. Pure.
import type { Link, Move, Site } from "../model/protocol";

const joins = (link: Link, one: string, other: string): boolean =>
  link.between.includes(one) && link.between.includes(other) && one !== other;

export const linkBetween = (links: Link[], one: string, other: string): Link | undefined =>
  links.find((link) => joins(link, one, other));

/** Links that do not run between two neighbours of the column. */
export function otherLinks(links: Link[], sites: Site[]): Link[] {
  const neighbours = sites.slice(1).map((site, index) => [sites[index]!.name, site.name] as const);
  return links.filter((link) => !neighbours.some(([one, other]) => joins(link, one, other)));
}

export const movesOver = (link: Link, moves: Move[]): Move[] =>
  moves.filter((move) => joins(link, move.from_site, move.to_site));

const NARROWEST = 3;
const WIDEST = 14;

/** Pixels: from 1 Mbit/s to 10 Gbit/s on a logarithmic scale. */
export function widthOf(rate: number): number {
  const share = (Math.log10(Math.max(rate, 1)) - 6) / 4;
  return Math.round(NARROWEST + Math.min(Math.max(share, 0), 1) * (WIDEST - NARROWEST));
}

export type Health = "clean" | "lossy" | "dying";

export function healthOf(loss: number): Health {
  if (loss <= 0.0005) return "clean";
  return loss < 0.01 ? "lossy" : "dying";
}

/** Seconds that a dot takes from end to end: quick on a busy link, never a blur. */
export function dotSeconds(bytesPerSecond: number): number {
  const share = (Math.log10(Math.max(bytesPerSecond, 1e4)) - 4) / 5;
  return 3 - Math.min(share, 1) * 2.2;
}
