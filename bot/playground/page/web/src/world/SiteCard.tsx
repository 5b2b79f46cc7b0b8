import { useState } from "react";
import type { Datastore, Host, Move, Site, Vcenter, Vm } from "../model/protocol";
import { bytes } from "../text/format";
import { visible } from "../text/visible";

interface SiteProps {
  site: Site;
  vcenter: Vcenter | undefined;
  moves: Move[];
}

export function SiteCard({ site, vcenter, moves }: SiteProps) {
  const leaving = new Set(moves.filter((move) => move.state === "running" && move.from_site === site.name).map((move) => move.vm));
  const up = vcenter?.up !== false;
  return (
    <section className="site" data-testid={`site-${site.name}`} aria-label={`Site ${site.name}`}>
      <header>
        <h3>{visible(site.name)}</h3>
        <span className="site-place">
          {visible(site.datacenter)} · {visible(site.cluster)}
        </span>
        <span className={up ? "vcenter" : "vcenter vcenter-down"}>
          <i className={up ? "lamp lamp-good" : "lamp lamp-bad"} />
          vCenter {visible(site.vcenter)}
          {up ? "" : " is down"}
        </span>
      </header>
      {site.hosts.map((host) => (
        <HostRow key={host.name} host={host} vms={site.vms.filter((vm) => vm.host === host.name)} leaving={leaving} />
      ))}
      {site.datastores.map((datastore) => (
        <DatastoreBar key={datastore.name} datastore={datastore} />
      ))}
    </section>
  );
}

const shortName = (name: string): string => visible(name.split(".")[0] ?? name);

interface HostProps {
  host: Host;
  vms: Vm[];
  leaving: Set<string>;
}

function HostRow({ host, vms, leaving }: HostProps) {
  const state = host.connected ? (host.maintenance ? "maintenance" : "connected") : "disconnected";
  const lamp = { connected: "lamp-good", maintenance: "lamp-warn", disconnected: "lamp-bad" }[state];
  return (
    <div className={host.connected ? "host" : "host host-away"} data-testid={`host-${host.name}`} data-state={state}>
      <p title={`${host.name}, ESXi ${host.version}, ${state}`}>
        <i className={`lamp ${lamp}`} />
        <bdi className="host-name">{shortName(host.name)}</bdi>
        {state === "connected" ? null : <span className={`tag tag-${state}`}>{state}</span>}
        {host.copying ? <span className="tag tag-copying">{host.copying} copying</span> : null}
      </p>
      <Vms vms={vms} leaving={leaving} />
    </div>
  );
}

const SHOWN = 12;

function Vms({ vms, leaving }: { vms: Vm[]; leaving: Set<string> }) {
  const [all, setAll] = useState(false);
  const shown = all || vms.length <= SHOWN + 1 ? vms : vms.slice(0, SHOWN);
  return (
    <ul className="vms">
      {shown.map((vm, index) => (
        <li
          key={`${vm.folder}/${vm.name}/${index}`}
          className={leaving.has(vm.name) ? "vm vm-leaving" : "vm"}
          title={`${visible(vm.name)} in ${visible(vm.folder)}, ${bytes(vm.bytes)}, ${isOn(vm) ? "powered on" : "powered off"}`}
        >
          <i className={isOn(vm) ? "power power-on" : "power"} />
          <bdi>{visible(vm.name)}</bdi>
        </li>
      ))}
      {vms.length > SHOWN + 1 ? (
        <li>
          <button type="button" className="vm vm-more" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? "fewer" : `${vms.length - SHOWN} more`}
          </button>
        </li>
      ) : null}
    </ul>
  );
}

const isOn = (vm: Vm): boolean => vm.power.toLowerCase().includes("on");

function DatastoreBar({ datastore }: { datastore: Datastore }) {
  const { capacity, free, orphans } = datastore;
  const share = (part: number): string => `${capacity ? Math.min(100, Math.max(0, (part / capacity) * 100)) : 0}%`;
  const full = capacity > 0 && free / capacity < 0.02;
  return (
    <div className={full ? "datastore datastore-full" : "datastore"} data-testid={`datastore-${datastore.name}`}>
      <p>
        <bdi>{visible(datastore.name)}</bdi>
        <span>
          {full ? "full: " : ""}
          {bytes(free)} free{orphans ? `, ${bytes(orphans)} orphaned` : ""}
        </span>
      </p>
      <div className="bar" role="img" aria-label={`${bytes(capacity - free)} of ${bytes(capacity)} used${orphans ? `, ${bytes(orphans)} of it orphaned` : ""}`}>
        <span className="bar-used" style={{ width: share(capacity - free - orphans) }} />
        {orphans ? <span className="bar-orphans" style={{ width: share(orphans) }} title={`${bytes(orphans)} that belong to no VM`} /> : null}
      </div>
    </div>
  );
}
