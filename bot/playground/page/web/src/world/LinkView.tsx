// A link as a pipe: width by rate, colour by loss, dots while something is copied. Beside it what moves, and its switches.
import type { BlockedPort, Link, Move } from "../model/protocol";
import { bitRate, percent } from "../text/format";
import { LinkSwitches } from "./LinkSwitches";
import { dotSeconds, healthOf, movesOver, widthOf } from "./links";
import { MoveRow } from "./MoveRow";

interface LinkProps {
  link: Link;
  upper: string;
  lower: string;
  moves: Move[];
  /** Not between neighbours: it has to say which sites it joins. */
  apart?: boolean;
}

export function LinkView({ link, upper, lower, moves, apart = false }: LinkProps) {
  const over = movesOver(link, moves);
  return (
    <section className="link-view" data-testid={`link-${upper}-${lower}`} data-health={healthOf(link.loss)} aria-label={`Link between ${upper} and ${lower}`}>
      <Pipe link={link} upper={upper} running={over.filter((move) => move.state === "running")} />
      <div className="link-words">
        {apart ? (
          <h4>
            {upper} ↔ {lower}
          </h4>
        ) : null}
        <p className="link-figures">
          <span>{bitRate(link.rate)}</span>
          <span>{Math.round(link.rtt_ms)} ms</span>
          <span className="link-lost">{percent(link.loss)} loss</span>
          {link.bytes_per_second > 0 ? <span className="link-now">{bitRate(link.bytes_per_second * 8)} now</span> : null}
        </p>
        <Blocked blocked={link.blocked} />
        {over.map((move) => (
          <MoveRow key={`${move.op_id}/${move.vm}`} move={move} down={move.from_site === upper} />
        ))}
        <LinkSwitches link={link} />
      </div>
    </section>
  );
}

function Blocked({ blocked }: { blocked: BlockedPort[] }) {
  return blocked.map((one) => (
    <p key={`${one.from}/${one.port}`} className="blocked">
      {one.from} → {one.to}, port {one.port}: {one.how === "silent" ? "dropped without a word" : "refused"}
    </p>
  ));
}

const HEIGHT = 100;

function Pipe({ link, upper, running }: { link: Link; upper: string; running: Move[] }) {
  const width = widthOf(link.rate);
  return (
    <svg className="pipe" viewBox={`0 0 24 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <line className="pipe-wall" x1="12" x2="12" y1="0" y2={HEIGHT} strokeWidth={width} vectorEffect="non-scaling-stroke" />
      {running.length ? (
        <line
          className={running[0]?.from_site === upper ? "pipe-dots" : "pipe-dots pipe-dots-up"}
          x1="12"
          x2="12"
          y1="0"
          y2={HEIGHT}
          strokeWidth={Math.max(3, width - 4)}
          vectorEffect="non-scaling-stroke"
          style={{ animationDuration: `${dotSeconds(link.bytes_per_second)}s` }}
        />
      ) : null}
    </svg>
  );
}
