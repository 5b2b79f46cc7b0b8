"""The world file: what exists in the world of the players, and what will go wrong in it.

Here live the pydantic models of that TOML file, its units and its cross-checks. No behaviour and no clock: the players
bring a world to life, this module only says what it is. Settings of the product never come from here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from bot.errors import UserError
from bot.playground.world_checks import MOMENT, dangling, default_datastore

_BYTES = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_BITS = {"bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9}
_SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z/]+)")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%")
_DISK = re.compile(
    r"(?P<capacity>\S+ ?[A-Za-z]+)(?: (?P<kind>thin|thick)(?: (?P<used>\d\S* ?[A-Za-z]+))?)?"
    r"(?P<traits>(?: (?:independent|shared|pmem))*)"
)
_DEVICES = "iso, host-cd, client-cd, floppy, usb, pci, vgpu, serial, parallel, nvdimm, rdm physical, rdm virtual"
_DEVICE = re.compile(
    r"(?P<kind>iso|host-cd|client-cd|floppy|usb|pci|vgpu|serial|parallel|nvdimm|rdm(?= (?:physical|virtual)$))"
    r"(?: (?P<detail>\S.*))?"
)


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


def parse_offset(value: Any) -> timedelta:
    """Turn "+2 s" or "-500 ms" into a timedelta; a ValueError says what was expected."""
    if not isinstance(value, str) or value[:1] not in {"+", "-"}:
        raise ValueError('expected a sign and a duration, for example "+2 s" or "-500 ms"')
    length = parse_duration(value[1:].strip())
    return -length if value[0] == "-" else length


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
        "written": used,
        **dict.fromkeys(traits, True),
    }


def _parse_device(value: Any) -> Any:
    found = _DEVICE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or (found["kind"] == "iso" and not re.match(r"\[.+\] .+", found["detail"] or "")):
        raise ValueError(f'expected one of {_DEVICES}, for example "iso [ds-c1-01] tools/linux.iso"')
    return {"kind": found["kind"], "detail": found["detail"] or ""}


def _parse_at(value: Any) -> Any:
    found = MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is not None:
        return {"percent": int(found[1]), "vm": found[2]}
    try:
        return {"after": parse_duration(value)}
    except ValueError:
        raise ValueError(
            'expected a percentage of a VM\'s copy, for example "63 % of db01", or a time, for example "30 s"'
        ) from None


Size = Annotated[int, BeforeValidator(parse_size)]
Rate = Annotated[int, BeforeValidator(parse_rate)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Share = Annotated[float, BeforeValidator(parse_share)]
Offset = Annotated[timedelta, BeforeValidator(parse_offset)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Version = Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


NoiseKind = Literal["ordinary", "backup", "replication", "flaps"]


class Play(_Part):
    """How the players behave where the real ones have a fixed habit; shortened, because a demo is short."""

    nfc_patience: Duration = Field("4 s", description="how long an NFC session lives on a link that eats its segments")  # type: ignore[assignment]
    nfc_breaks_at: Share = Field("1 %", description="loss from which an NFC session cannot live")  # type: ignore[assignment]
    task_timeout: Duration = Field("4 h", description="vCenter gives up a relocation after this")  # type: ignore[assignment]
    connect_patience: Duration = Field("3 s", description="a blocked port is given up after this")  # type: ignore[assignment]
    lan_rate: Rate = Field("10 Gbit/s", description="between hosts of one site")  # type: ignore[assignment]
    task_retention: Duration = Field("10 min", description="a finished task object vanishes after this")  # type: ignore[assignment]
    session_idle: Duration = Field("30 min", description="an unused session ends after this")  # type: ignore[assignment]
    guest_shutdown: Duration = Field("2 s", description="a guest is down this long after ShutdownGuest")  # type: ignore[assignment]
    consolidation: Duration = Field("1 s", description="merging one delta that no snapshot owns takes this long")  # type: ignore[assignment]
    noise_every: Duration = Field("3 s", description="each host logs ordinary work about this often")  # type: ignore[assignment]
    history_lines: int = Field(120, ge=0, description="ordinary lines that each host log starts with")
    noise: tuple[NoiseKind, ...] = Field(("ordinary",), description="what hosts log beside the migrations")
    log_size: Size = Field("1 MiB", description="a host rotates a log that has become this large")  # type: ignore[assignment]
    log_lines: int = Field(20_000, ge=10, description="a host rotates a log that has so many lines, too")
    logs_kept: int = Field(8, ge=1, le=100, description="how many rotated files of a log a host keeps")


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
    withheld: tuple[Annotated[str, Field(pattern=r"^[A-Za-z]+(\.[A-Za-z]+)+$")], ...] = Field(
        (), description='properties that it may not read wherever it may read the rest: "HostSystem.config.network"'
    )


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

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.free > self.capacity:
            raise ValueError("expected free to be no more than capacity")
        return self


class HostAccount(_Part):
    """Who may log in on the hosts of a site themselves, without vCenter."""

    user: Name = "root"
    password: Name = Field("bare-metal-of-a-play", repr=False)


class Site(_Part):
    """One datacenter with one cluster. `datacenter` and `cluster` default to DCn and Cn, n being the site's place."""

    name: Name
    vcenter: Name
    hosts: int = Field(2, ge=1, le=240)
    version: Version = "8.0.3"
    datacenter: str = ""
    cluster: str = ""
    datastores: tuple[DatastoreSpec, ...] = ()
    networks: tuple[Name, ...] = ("VM Network",)
    portgroups: tuple[Name, ...] = ("dvpg-app",)
    folders: tuple[Name, ...] = ()
    provisioning: Literal["none", "interface", "stack"] = Field(
        "none", description="whether hosts carry NFC over an interface of its own, in the default stack or in its own"
    )
    routes: tuple[Name, ...] = Field((), description="sites that a provisioning interface has a static route to")
    udt: bool = Field(True, description="whether 8.x hosts with provisioning move data over vMotion, on TCP 8000")
    mtu: int = Field(1500, ge=576, le=9216, description="the largest packet that hosts send to other sites")
    host_account: HostAccount = HostAccount()
    clock_offsets: tuple[Offset, ...] = Field((), description="how far the clock of each host is ahead, host by host")
    evc: str = Field("", description="the EVC mode of the cluster; none without it")
    max_evc: Name = Field("intel-icelake", description="the newest EVC mode that its hosts could run in")
    crypto_safe: bool = Field(False, description="whether its hosts have a key and may run encrypted VMs")
    quarantined: tuple[int, ...] = Field((), description="hosts in quarantine mode, counted from 1")


class Disk(_Part):
    """`used` is what it takes: the allocated part of a thin disk, all of a thick one; `written`: what is not zero."""

    capacity: int
    thin: bool
    used: int
    written: int
    independent: bool = False
    shared: bool = False
    """Several VMs write to it (multi-writer)."""
    pmem: bool = False
    """It lies in persistent memory of the host."""


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
    ignores_shutdown: bool = Field(False, description="whether its guest does nothing when it is asked to shut down")
    locks_drive: bool = Field(False, description="whether its guest, while on, holds the door of its CD drives")
    start: Literal["works", "no-resources", "asks"] = Field(
        "works", description="what comes of powering it on: its host has no memory left, or it asks how it came here"
    )
    stray_deltas: int = Field(0, ge=0, le=32, description="deltas that no snapshot owns: it needs consolidation")
    annotation: str = Field("", description="the notes that people keep on it")
    fault_tolerance: bool = False
    replication: bool = Field(False, description="whether vSphere Replication is configured for it")
    managed_by: str = Field("", description="the key of the extension that it belongs to")
    linked_to: str = Field("", description="the directory of the VM whose disks its own rest on: a linked clone")
    vapp: str = Field("", description="the vApp that it is in, beside the other VMs of its folder")
    min_evc: str = Field("", description="the EVC mode that it needs while it is on")
    memory_reservation: Size = "0 B"  # type: ignore[assignment]
    disabled_methods: tuple[Name, ...] = ()
    running_task: str | None = None
    question: str | None = None


class Port(_Part):
    """One direction of one port that a firewall closes: it drops what comes, or it answers with a reset."""

    from_: Name = Field(alias="from")
    to: Name
    port: int = Field(ge=1, le=65535)
    how: Literal["silent", "refused"] = "silent"


class Link(_Part):
    between: tuple[Name, Name]
    rate: Rate = "1 Gbit/s"  # type: ignore[assignment]
    rtt: Duration = "20 ms"  # type: ignore[assignment]
    loss: Share = "0 %"  # type: ignore[assignment]
    mtu: int = Field(1500, ge=576, le=9216)
    pmtud: bool = Field(True, description="whether a sender is told that its packet is too large for the link")
    idle_timeout: Duration | None = Field(None, description="a stateful firewall forgets a silent session after this")
    provisioning_routed: bool = Field(True, description="whether the provisioning networks reach each other")
    provisioning_stretched: bool = Field(False, description="whether both ends' provisioning is one subnet")
    blocked: tuple[Port, ...] = ()


class Moment(_Part):
    """When the copy of a VM first reaches a percentage."""

    percent: int
    vm: Name


class Delay(_Part):
    """So long after the world began, by its own clock."""

    after: timedelta


class Event(_Part):
    """What happens at a moment, to whatever is named: a link, ports, a datastore, a host, a VM, a vCenter.

    What is not named stays as it is. `world_checks.TARGETS` says which word goes with which target.
    """

    at: Annotated[Moment | Delay, BeforeValidator(_parse_at)]
    link: tuple[Name, Name] | None = None
    loss: Share | None = None
    rate: Rate | None = None
    rtt: Duration | None = None
    mtu: int | None = Field(None, ge=576, le=9216)
    pmtud: bool | None = None
    idle_timeout: Duration | None = None
    block: tuple[Port, ...] = ()
    unblock: tuple[Port, ...] = ()
    datastore: Name | None = None
    free: Size | None = None
    accessible: bool | None = None
    host: Name | None = None
    connected: bool | None = None
    maintenance: bool | None = None
    nfcd: Literal["running", "stopped"] | None = None
    authd: Literal["answering", "hanging"] | None = None
    nfc_memory: Literal["free", "exhausted"] | None = None
    dns: Literal["working", "broken"] | None = None
    tickets: Literal["valid", "expired"] | None = None
    restart: Literal["vpxa", "hostd"] | None = None
    rotate: Literal["vpxa", "hostd", "vmkernel", "vobd"] | None = None
    vm: Name | None = None
    locked: bool | None = None
    power: Literal["on", "off"] | None = None
    vcenter: Name | None = None
    sessions: Literal["expired"] | None = None


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
    mistakes = list(dangling(raw))
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


def _completed(world: World) -> World:
    """Fill in what depends on the place in the file: names of datacenters, clusters, datastores, unnamed vCenters."""
    sites = tuple(
        site.model_copy(
            update={
                "datacenter": site.datacenter or f"DC{place}",
                "cluster": site.cluster or f"C{place}",
                "datastores": site.datastores or (DatastoreSpec(name=default_datastore(place)),),
            }
        )
        for place, site in enumerate(world.sites, start=1)
    )
    named = {vcenter.name for vcenter in world.vcenters}
    rest = dict.fromkeys(site.vcenter for site in sites if site.vcenter not in named)
    return world.model_copy(
        update={"sites": sites, "vcenters": (*world.vcenters, *(VCenter(name=name) for name in rest))}
    )
