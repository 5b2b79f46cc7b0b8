// Everything else that can break: time, processes, hosts, disks, vCenters, Slack.
import type { ReactNode } from "react";
import type { Datastore, Role, Vcenter, World } from "../model/protocol";
import { bytes, counted, duration } from "../text/format";
import { visible } from "../text/visible";
import { OthersRow } from "./OthersRow";
import { WorldButton } from "./WorldButton";

const REFUSED = 5;
const REPEATED = 10;

export function Switches({ world }: { world: World }) {
  const hosts = world.sites.flatMap((site) => site.hosts);
  const datastores = world.sites.flatMap((site) => site.datastores);
  return (
    <div className="switches">
      <h3>Break something</h3>
      <Group title="Time" note={world.advanced_s ? `${duration(world.advanced_s)} ahead` : "as on your clock"}>
        <div className="row">
          <span>Move on</span>
          <span className="buttons">
            <WorldButton change={{ order: "advance", args: { seconds: 60 } }}>+1 min</WorldButton>
            <WorldButton change={{ order: "advance", args: { seconds: 600 } }}>+10 min</WorldButton>
            <WorldButton change={{ order: "advance", args: { seconds: 3600 } }}>+1 h</WorldButton>
          </span>
        </div>
      </Group>
      <Group title="Processes">
        {world.roles.map((role) => (
          <RoleRow key={role.name} role={role} />
        ))}
      </Group>
      <Group title="Hosts">
        {hosts.map((host) => (
          <div className="row" key={host.name}>
            <bdi>{visible(host.name)}</bdi>
            <WorldButton change={{ order: "host", args: { host: host.name, connected: !host.connected } }} on={!host.connected} label={`${host.connected ? "Disconnect" : "Reconnect"} ${host.name}`}>
              {host.connected ? "Disconnect" : "Reconnect"}
            </WorldButton>
          </div>
        ))}
      </Group>
      <Group title="Somebody else">
        <OthersRow world={world} />
      </Group>
      <Group title="Datastores">
        {datastores.map((datastore) => (
          <FillRow key={datastore.name} datastore={datastore} />
        ))}
      </Group>
      <Group title="vCenters">
        {world.vcenters.map((vcenter) => (
          <VcenterRow key={vcenter.name} vcenter={vcenter} />
        ))}
      </Group>
      <Group title="Slack">
        <div className="row">
          <span>The connection</span>
          <WorldButton change={{ order: "slack", args: { what: "disconnect" } }}>Disconnect</WorldButton>
        </div>
        <div className="row">
          <span>
            Refuse calls <small>the next {REFUSED} of each kind</small>
          </span>
          <WorldButton change={{ order: "slack", args: { what: "429", times: REFUSED } }}>429</WorldButton>
        </div>
        <div className="row">
          <span>
            Deliver all <small>the next {REPEATED}</small>
          </span>
          <WorldButton change={{ order: "slack", args: { what: "thrice", times: REPEATED } }}>Three times</WorldButton>
        </div>
      </Group>
    </div>
  );
}

function Group({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  return (
    <section className="switch-group" aria-label={title}>
      <h4>
        {title}
        {note ? <small>{note}</small> : null}
      </h4>
      {children}
    </section>
  );
}

function RoleRow({ role }: { role: Role }) {
  const lamp = { running: "lamp-good", starting: "lamp-warn", stopped: "lamp-bad" }[role.state];
  const restarts = role.restarts ? `, ${counted(role.restarts, "restart")}` : "";
  return (
    <div className="row" data-testid={`role-${role.name}`} data-state={role.state}>
      <span>
        <i className={`lamp ${lamp}`} /> {role.name}{" "}
        <small>
          {role.state === "running" && role.pid ? `pid ${role.pid}` : role.state}
          {restarts}
        </small>
      </span>
      <WorldButton change={{ order: "kill", args: { role: role.name } }} label={`Kill the ${role.name}`}>
        Kill
      </WorldButton>
    </div>
  );
}

/** What was free before it was filled, so that emptying it restores that. */
const before = new Map<string, number>();

function FillRow({ datastore }: { datastore: Datastore }) {
  const { name, capacity, free } = datastore;
  const full = capacity > 0 && free / capacity < 0.02;
  if (!full) before.set(name, free);
  const change = full ? (before.get(name) ?? capacity / 2) : 0;
  return (
    <div className="row">
      <span>
        <bdi>{visible(name)}</bdi> <small>{bytes(free)} free</small>
      </span>
      <WorldButton change={{ order: "fill", args: { datastore: name, free: Math.round(change) } }} on={full} label={`${full ? "Empty" : "Fill"} ${name}`}>
        {full ? "Make room" : "Fill"}
      </WorldButton>
    </div>
  );
}

function VcenterRow({ vcenter }: { vcenter: Vcenter }) {
  return (
    <div className="row">
      <span>
        <i className={vcenter.up ? "lamp lamp-good" : "lamp lamp-bad"} /> {visible(vcenter.name)} <small>{counted(vcenter.sessions, "session")}</small>
      </span>
      <span className="buttons">
        <WorldButton change={{ order: "expire-sessions", args: { vcenter: vcenter.name } }} label={`Expire the sessions of ${vcenter.name}`}>
          Expire sessions
        </WorldButton>
        <WorldButton change={{ order: "vcenter", args: { vcenter: vcenter.name, up: !vcenter.up } }} on={!vcenter.up} label={`Take ${vcenter.name} ${vcenter.up ? "down" : "up"}`}>
          {vcenter.up ? "Down" : "Up"}
        </WorldButton>
      </span>
    </div>
  );
}
