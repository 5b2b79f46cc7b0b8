import type { Move } from "../model/protocol";
import { bitRate } from "../text/format";
import { visible } from "../text/visible";

const ENDS = { success: "✓", error: "✕", queued: "⋯", running: "" } as const;

export function MoveRow({ move, down }: { move: Move; down: boolean }) {
  const whole = Math.floor(move.percent);
  return (
    <div className={`move move-${move.state}`} data-testid="move" data-vm={move.vm} data-state={move.state} title={move.op_id}>
      <p>
        <span aria-hidden="true">{ENDS[move.state] || (down ? "↓" : "↑")}</span>
        <bdi className="move-vm">{visible(move.vm)}</bdi>
        <span className="move-pace">{pace(move)}</span>
        <strong data-testid="link-percent">{whole} %</strong>
      </p>
      <div className="bar" role="progressbar" aria-label={`Copy of ${visible(move.vm)}`} aria-valuenow={whole}>
        <span style={{ width: `${Math.min(100, Math.max(0, move.percent))}%` }} />
      </div>
    </div>
  );
}

function pace(move: Move): string {
  switch (move.state) {
    case "running":
      return bitRate(move.bytes_per_second * 8);
    case "queued":
      return "waits";
    case "success":
      return "arrived";
    case "error":
      return visible(move.fault) || "failed";
  }
}
