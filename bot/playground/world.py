"""The world file: what exists in the world of the players, and what will go wrong in it.

Here live the pydantic models of that TOML file, its units and its cross-checks. No behaviour and no clock: the players
bring a world to life, this module only says what it is. Settings of the product never come from here.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.errors import UserError

_BYTES = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_BITS = {"bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9}
_SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z/]+)")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%")
_DISK = re.compile(
    r"(?P<capacity>\S+ ?[A-Za-z]+)(?: (?P<kind>thin|thick)(?: (?P<used>\d\S* ?[A-Za-z]+))?)?"
    r"(?P<traits>(?: (?:independent|shared))*)"
)
_DEVICES = "iso, host-cd, client-cd, floppy, usb, pci, vgpu, serial, nvdimm, rdm physical, rdm virtual"
_DEVICE = re.compile(
    r"(?P<kind>iso|host-cd|client-cd|floppy|usb|pci|vgpu|serial|nvdimm|rdm(?= (?:physical|virtual)$))"
    r"(?: (?P<detail>\S.*))?"
)
_MOMENT = re.compile(r"(\d{1,2}) ?% of (\S.*)")


def _amount(value: Any, units: Mapping[str, float], *, example: str) -> float:
    found = _AMOUNT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or found[2] not in units:
        raise ValueError(f'expected a number and one of {", ".join(units)}, for example "{example}"')
    return float(found[1]) * units[found[2]]


def parse_size(value: Any) -> int:
    """Turn "4 TiB" into bytes; a ValueError says what was expected."""
    return int(_amount(value, _BYTES, example="40 GiB"))


def parse_rate(value: Any) -> int:
    """Turn "200 Mbit/s" into bits per second; a ValueError says what was expected."""
    return int(_amount(value, _BITS, example="200 Mbit/s"))


def parse_duration(value: Any) -> timedelta:
    """Turn "80 ms" into a timedelta; a ValueError says what was expected."""
    return timedelta(seconds=_amount(value, _SECONDS, example="80 ms"))


def parse_share(value: Any) -> float:
    """Turn "4 %" into 0.04; a ValueError says what was expected."""
    found = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or float(found[1]) > 100:  # noqa: PLR2004 - percent
        raise ValueError('expected a percentage from "0 %" to "100 %", for example "4 %"')
    return float(found[1]) / 100


def _parse_disk(value: Any) -> Any:
    found = _DISK.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('expected a size, then thick or thin and what is used, for example "40 GiB thin 12 GiB"')
    capacity = parse_size(found["capacity"])
    thin = found["kind"] == "thin"
    used = parse_size(found["used"]) if found["used"] else (0 if thin else capacity)
    if used > capacity:
        raise ValueError("expected a thin disk to use no more than its size")
    traits = found["traits"].split()
    return {
        "capacity": capacity,
        "thin": thin,
        "used": used if thin else capacity,
        **dict.fromkeys(traits, True),
    }


def _parse_device(value: Any) -> Any:
    found = _DEVICE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or (found["kind"] == "iso" and not re.match(r"\[.+\] .+", found["detail"] or "")):
        raise ValueError(f'expected one of {_DEVICES}, for example "iso [ds-c1-01] tools/linux.iso"')
    return {"kind": found["kind"], "detail": found["detail"] or ""}


def _parse_moment(value: Any) -> Any:
    found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('expected a percentage of a VM\'s copy, for example "63 % of db01"')
    return {"percent": int(found[1]), "vm": found[2]}


Size = Annotated[int, BeforeValidator(parse_size)]
Rate = Annotated[int, BeforeValidator(parse_rate)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Share = Annotated[float, BeforeValidator(parse_share)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Version = Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Play(_Part):
    """How the players behave where the real ones have a fixed habit; shortened, because a demo is short."""

    nfc_patience: Duration = Field("4 s", description="how long an NFC session lives on a lossy link")  # type: ignore[assignment]
    nfc_breaks_at: Share = Field("1 %", description="loss from which an NFC session cannot live")  # type: ignore[assignment]
    connect_patience: Duration = Field("3 s", description="a blocked port is given up after this")  # type: ignore[assignment]
    lan_rate: Rate = Field("10 Gbit/s", description="between hosts of one site")  # type: ignore[assignment]
    task_retention: Duration = Field("10 min", description="a finished task object vanishes after this")  # type: ignore[assignment]
    session_idle: Duration = Field("30 min", description="an unused session ends after this")  # type: ignore[assignment]
    guest_shutdown: Duration = Field("2 s", description="a guest is down this long after ShutdownGuest")  # type: ignore[assignment]
    noise_every: Duration = Field("3 s", description="each host logs ordinary work about this often")  # type: ignore[assignment]
    history_lines: int = Field(120, ge=0, description="ordinary lines that each host log starts with")


class Permission(_Part):
    """What an account may do on one object, and below it when `propagate`; the nearest permission counts alone."""

    on: str = Field(description='an inventory path such as "/DC1/vm/Web"; "/" is the root')
    privileges: Literal["all"] | tuple[Name, ...]
    propagate: bool = True


class Account(_Part):
    """`privileges` are held on the root and propagate; `permissions` say otherwise for single objects."""

    user: Name
    password: Name = Field(repr=False)
    privileges: Literal["all"] | tuple[Name, ...] = "all"
    permissions: tuple[Permission, ...] = ()


class VCenter(_Part):
    name: Name
    version: Version = "8.0.3"
    accounts: tuple[Account, ...] = (
        Account(user="svc-coldmigrate@vsphere.local", password="cold-but-not-frozen"),  # noqa: S106 - of a play
    )


class DatastoreSpec(_Part):
    name: Name
    capacity: Size = "4 TiB"  # type: ignore[assignment]
    free: Size = "2 TiB"  # type: ignore[assignment]


class Site(_Part):
    """One datacenter with one cluster. `datacenter` and `cluster` default to DCn and Cn, n being the site's place."""

    name: Name
    vcenter: Name
    hosts: int = Field(2, ge=1, le=99)
    version: Version = "8.0.3"
    datacenter: str = ""
    cluster: str = ""
    datastores: tuple[DatastoreSpec, ...] = ()
    networks: tuple[Name, ...] = ("VM Network",)
    portgroups: tuple[Name, ...] = ("dvpg-app",)
    folders: tuple[Name, ...] = ()


class Disk(_Part):
    """`used` is what the copy has to move: the allocated part of a thin disk, all of a thick one."""

    capacity: int
    thin: bool
    used: int
    independent: bool = False
    shared: bool = False
    """Several VMs write to it (multi-writer)."""


class Device(_Part):
    """Hardware that hinders a move. `detail` is the file of an ISO, or the kind of a raw device mapping."""

    kind: str
    detail: str = ""


class VmSpec(_Part):
    name: Name
    site: Name
    disks: tuple[Annotated[Disk, BeforeValidator(_parse_disk)], ...] = ("40 GiB thin 4 GiB",)  # type: ignore[assignment]
    networks: tuple[Name, ...] = ("VM Network",)
    power: Literal["on", "off", "suspended"] = "off"
    folder: str = ""
    host: int | None = Field(None, ge=1, description="which host of the site, counted from 1")
    datastore: str | None = None
    template: bool = False
    snapshots: int = Field(0, ge=0, le=32, description="how many snapshots its chain has; true means one")
    devices: tuple[Annotated[Device, BeforeValidator(_parse_device)], ...] = ()
    bus_sharing: Literal["none", "virtual", "physical"] = "none"
    hardware_version: int | None = Field(None, ge=4, le=22)
    encrypted: bool = False
    vtpm: bool = False
    change_tracking: bool = False
    tools: bool = Field(True, description="whether VMware Tools run in the guest, so that it can be shut down")
    disabled_methods: tuple[Name, ...] = ()
    running_task: str | None = None
    question: str | None = None


class Port(_Part):
    """One direction of one port that a firewall drops."""

    from_: Name = Field(alias="from")
    to: Name
    port: int = Field(ge=1, le=65535)


class Link(_Part):
    between: tuple[Name, Name]
    rate: Rate = "1 Gbit/s"  # type: ignore[assignment]
    rtt: Duration = "20 ms"  # type: ignore[assignment]
    loss: Share = "0 %"  # type: ignore[assignment]
    mtu: int = Field(1500, ge=576, le=9216)
    blocked: tuple[Port, ...] = ()


class Moment(_Part):
    percent: int
    vm: Name


class Event(_Part):
    """When the copy of a VM first reaches a percentage, a link changes. What is not named stays as it is."""

    at: Annotated[Moment, BeforeValidator(_parse_moment)]
    link: tuple[Name, Name]
    loss: Share | None = None
    rate: Rate | None = None


class World(_Part):
    seed: int = 1
    play: Play = Play()
    vcenters: tuple[VCenter, ...] = ()
    sites: tuple[Site, ...] = ()
    vms: tuple[VmSpec, ...] = ()
    links: tuple[Link, ...] = ()
    events: tuple[Event, ...] = ()


def demo_world_path() -> Path:
    """Return where the packaged demo world lies."""
    return Path(str(resources.files("bot.playground") / "worlds" / "demo.toml"))


def load_world(path: Path) -> World:
    """Read a world file. Refuses with one UserError that lists every mistake as `file: key: what was expected`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_world(text, source=str(path))


def parse_world(text: str, source: str = "world") -> World:
    """Do what `load_world` does, with the text at hand; `source` stands for the file in the sentences."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{source}: not TOML: {error}") from error
    mistakes = list(_dangling(raw))
    try:
        world = World.model_validate(raw)
    except ValidationError as error:
        mistakes = [*_worded(error), *mistakes]
    if mistakes:
        raise UserError("\n".join(f"{source}: {mistake}" for mistake in mistakes), example='name = "site1"')
    return _completed(world)


def _worded(error: ValidationError) -> Iterator[str]:
    for entry in error.errors(include_url=False, include_input=False, include_context=False):
        key = ".".join(str(part) for part in entry["loc"])
        yield f"{key}: {entry['msg'].removeprefix('Value error, ')}"


def _tables(raw: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the tables under a key, whatever the file holds there: shapes are the models' business."""
    found = raw.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _dangling(raw: Mapping[str, Any]) -> Iterator[str]:
    """Name every reference that leads nowhere and every name given twice; works on a file with other mistakes too."""
    sites = {str(site.get("name")): site for site in _tables(raw, "sites")}
    vms = {str(vm.get("name")) for vm in _tables(raw, "vms")}
    if not sites:
        yield "sites: expected at least one [[sites]] table"
    for key in ("vcenters", "sites"):
        names = [str(entry.get("name")) for entry in _tables(raw, key)]
        yield from (f"{key}: expected one entry named {name!r}, found several" for name in _twice(names))
    homes = [(str(vm.get("site")), vm.get("folder") or "", str(vm.get("name"))) for vm in _tables(raw, "vms")]
    yield from (f"vms: expected {home[2]!r} once per folder of site {home[0]!r}" for home in _twice(homes))
    for index, vm in enumerate(_tables(raw, "vms")):
        site = sites.get(str(vm.get("site")))
        if site is None:
            yield f"vms.{index}.site: expected one of {_listed(sites)}, got {vm.get('site')!r}"
        else:
            yield from _lost_vm(index, vm, site)
    joined = {frozenset(map(str, link.get("between") or ())) for link in _tables(raw, "links")}
    for index, link in enumerate(_tables(raw, "links")):
        ends = [*(link.get("between") or ()), *(p.get(k) for p in _tables(link, "blocked") for k in ("from", "to"))]
        yield from (f"links.{index}: expected sites {_listed(sites)}, got {end!r}" for end in ends if end not in sites)
    for index, event in enumerate(_tables(raw, "events")):
        if frozenset(map(str, event.get("link") or ())) not in joined:
            yield f"events.{index}.link: expected the two sites of a link, got {event.get('link')!r}"
        moment = _MOMENT.fullmatch(str(event.get("at")).strip())
        if moment and moment[2] not in vms:
            yield f"events.{index}.at: expected a VM of this world, got {moment[2]!r}"


def _lost_vm(index: int, vm: Mapping[str, Any], site: Mapping[str, Any]) -> Iterator[str]:
    known = [*site.get("networks", ("VM Network",)), *site.get("portgroups", ("dvpg-app",))]
    for network in vm.get("networks") or ():
        if network not in known:
            yield f"vms.{index}.networks: expected one of {_listed(known)}, got {network!r}"
    datastores = [store.get("name") for store in _tables(site, "datastores")]
    if vm.get("datastore") is not None and vm["datastore"] not in datastores:
        yield f"vms.{index}.datastore: expected one of {_listed(datastores)}, got {vm['datastore']!r}"
    host, hosts = vm.get("host"), site.get("hosts", 2)
    if isinstance(host, int) and isinstance(hosts, int) and host > hosts:
        yield f"vms.{index}.host: expected 1 to {hosts}, got {host}"


def _twice(names: list[Any]) -> list[Any]:
    return [name for name, count in Counter(names).items() if count > 1]


def _listed(names: Any) -> str:
    return ", ".join(repr(name) for name in names) or "nothing (there is none)"


def _completed(world: World) -> World:
    """Fill in what depends on the place in the file: names of datacenters, clusters, datastores, unnamed vCenters."""
    sites = tuple(
        site.model_copy(
            update={
                "datacenter": site.datacenter or f"DC{place}",
                "cluster": site.cluster or f"C{place}",
                "datastores": site.datastores or (DatastoreSpec(name=f"ds-c{place}-01"),),
            }
        )
        for place, site in enumerate(world.sites, start=1)
    )
    named = {vcenter.name for vcenter in world.vcenters}
    rest = dict.fromkeys(site.vcenter for site in sites if site.vcenter not in named)
    return world.model_copy(
        update={"sites": sites, "vcenters": (*world.vcenters, *(VCenter(name=name) for name in rest))}
    )
