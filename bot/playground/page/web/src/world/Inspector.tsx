// What crossed the wire between the app and Slack, newest first. JSON is shown as text, and only when it is opened.
import { memo, useState } from "react";
import type { Crossing, Tally } from "../model/protocol";
import { useStore } from "../model/store";
import { shownJson } from "./shown-json";

export function Inspector() {
  const traffic = useStore((state) => state.parts.traffic);
  const tally = useStore((state) => state.parts.tally);
  const [filter, setFilter] = useState("");
  const typed = filter.trim().toLowerCase();
  const rows = (traffic ?? []).filter((one) => one.what.toLowerCase().includes(typed)).sort((a, b) => b.n - a.n);
  return (
    <div className="inspector" data-testid="inspector">
      {tally ? <TallyLine tally={tally} /> : null}
      <input className="field" type="search" placeholder="Filter, such as chat.update" aria-label="Filter the traffic" value={filter} onChange={(event) => setFilter(event.target.value)} />
      <div className="crossings">
        {rows.map((crossing) => (
          <Row key={crossing.n} crossing={crossing} />
        ))}
        {rows.length ? null : <p className="empty">{typed ? "Nothing like that crossed the wire." : "Nothing crossed the wire yet."}</p>}
      </div>
    </div>
  );
}

function TallyLine({ tally }: { tally: Tally }) {
  const figures: [string, string | number][] = [
    ["posts", tally.posts],
    ["edits", tally.updates],
    ["429s", tally.rate_limited],
    ["commands", tally.commands],
    ["ack, median", `${Math.round(tally.ack_ms_p50)} ms`],
    ["ack, worst", `${Math.round(tally.ack_ms_max)} ms`],
    [tally.connections.length === 1 ? "connection" : "connections", tally.connections.length],
  ];
  return (
    <dl className="tally">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dd>{value}</dd>
          <dt>{name}</dt>
        </div>
      ))}
    </dl>
  );
}

const AT = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const Row = memo(function Row({ crossing }: { crossing: Crossing }) {
  const [open, setOpen] = useState(false);
  const toSlack = crossing.way.startsWith("app");
  return (
    <details className="crossing" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <time>{AT.format(new Date(crossing.at))}</time>
        <span className={toSlack ? "way way-out" : "way way-in"} title={toSlack ? "from the app to Slack" : "from Slack to the app"}>
          {toSlack ? "app → Slack" : "Slack → app"}
        </span>
        <bdi className="what">{crossing.what}</bdi>
      </summary>
      {open ? (
        <>
          <pre tabIndex={0}>{shownJson(crossing.body)}</pre>
          {crossing.answer === null || crossing.answer === undefined ? null : (
            <>
              <p className="menu-group">Answer</p>
              <pre tabIndex={0}>{shownJson(crossing.answer)}</pre>
            </>
          )}
        </>
      ) : null}
    </details>
  );
});
