// What can be done to a link: lose packets, slow down, block the copy's port one way.
import { useEffect, useRef, useState } from "react";
import type { BlockHow, Link } from "../model/protocol";
import { percent } from "../text/format";
import { changeWorld, report } from "../wire/gestures";
import { WorldButton } from "./WorldButton";

export function LinkSwitches({ link }: { link: Link }) {
  const [one, other] = link.between;
  return (
    <div className="link-switches">
      <Loss link={link} />
      <Rate link={link} />
      <Port link={link} from={one} to={other} />
      <Port link={link} from={other} to={one} />
    </div>
  );
}

const MOST = 10;
const STEADY = 120;

/** The slider follows the hand at once; the world follows when the hand rests a moment. */
function Loss({ link }: { link: Link }) {
  const { between } = link;
  const [held, setHeld] = useState<number | null>(null);
  const timer = useRef<number>(undefined);
  const shown = held ?? Math.min(MOST, link.loss * 100);
  useEffect(() => setHeld(null), [link.loss]);
  const slide = (value: number): void => {
    setHeld(value);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      const asked = changeWorld({ order: "link", args: { between, loss: value / 100 } });
      report(asked);
      asked.catch(() => setHeld(null));
    }, STEADY);
  };
  return (
    <label className="slider">
      <span>Loss</span>
      <input type="range" min={0} max={MOST} step={0.1} value={shown} data-testid="link-loss" aria-valuetext={`${shown.toFixed(1)} percent`} onChange={(event) => slide(Number(event.target.value))} />
      <output>{percent(shown / 100)}</output>
    </label>
  );
}

const RATES: [number, string][] = [
  [10e6, "10 M"],
  [100e6, "100 M"],
  [1e9, "1 G"],
  [10e9, "10 G"],
];

function Rate({ link }: { link: Link }) {
  return (
    <div className="row" role="group" aria-label="Rate of the link">
      <span>Rate</span>
      <span className="segments">
        {RATES.map(([rate, label]) => (
          <WorldButton key={rate} change={{ order: "link", args: { between: link.between, rate } }} on={link.rate === rate} label={`${label}bit/s`}>
            {label}
          </WorldButton>
        ))}
      </span>
    </div>
  );
}

const PORT = 902;
const HOWS: [BlockHow | null, string][] = [
  [null, "open"],
  ["silent", "silent"],
  ["refused", "refused"],
];

function Port({ link, from, to }: { link: Link; from: string; to: string }) {
  const blocked = link.blocked.find((one) => one.port === PORT && one.from === from && one.to === to);
  return (
    <div className="row" role="group" aria-label={`Port 902 from ${from} to ${to}`}>
      <span title={`TCP 902 from ${from} to ${to}`}>902 to {to}</span>
      <span className="segments">
        {HOWS.map(([how, label]) => (
          <WorldButton
            key={label}
            change={{ order: "block", args: { from, to, port: PORT, how: how ?? blocked?.how ?? "silent", blocked: how !== null } }}
            on={(blocked?.how ?? null) === how}
            label={`902 from ${from} to ${to}: ${label}`}
          >
            {label}
          </WorldButton>
        ))}
      </span>
    </div>
  );
}
