"""The .vmx: how hostd writes that of a VM, and what is understood of one that others wrote. No VM is made here.

Keys are those that VMware's own files have (KB 1714; KB 1541 for the UUIDs); their order is `invented`. What is not
understood goes along as extra configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.playground.vcenter.inventory import Disk, Nic, Portgroup, Vm
from bot.playground.vcenter.naming import plain_uuid, spelled_uuid, steady_uuid, unescaped

_HARDWARE = {"9": 21, "8": 21, "7": 19, "6": 14, "5": 10, "4": 7}
_LARGEST = 2**20
_ROW = re.compile(r'\s*([\w.:-]+)\s*=\s*(?:"(.*)"|([^"\s]*))\s*')
_BUS = re.compile(r"(?:scsi|sata|nvme|ide)\d+:\d+")
_CARD = re.compile(r"ethernet\d+")
_KNOWN = re.compile(
    r"\.encoding|config\.version|virtualhw\.version|displayname|annotation|guestos|memsize|numvcpus|uuid\.bios"
    r"|uuid\.location|vc\.uuid|nvram|(?:scsi|sata|nvme|ide|ethernet)\d+[.:].*"
)
_ESCAPE, _CODE = re.compile('[|"\\x00-\\x1f]'), re.compile(r"\|([0-9A-Fa-f]{2})")
_DRIVES = {"cdrom-image": "iso", "atapi-cdrom": "host-cd", "cdrom-raw": "host-cd"}
_TYPES = {"iso": "cdrom-image", "host-cd": "atapi-cdrom", "client-cd": "atapi-cdrom"}
_VOLUME = re.compile(r"/vmfs/volumes/([^/]+)/+(.+)")


class BadVmxError(ValueError):
    """It is no .vmx that a host would take; the message says why."""


@dataclass(frozen=True)
class DiskRow:
    """`file` is as it stands there: below the VM's directory, or below /vmfs/volumes."""

    file: str
    tracked: bool


@dataclass(frozen=True)
class CardRow:
    """`network` is the name of a standard one; a distributed portgroup is told by its id and its switch."""

    network: str
    portgroup: str
    switch: str | None
    mac: str
    starts_connected: bool


@dataclass(frozen=True)
class DriveRow:
    kind: str
    file: str
    starts_connected: bool


@dataclass(frozen=True)
class Vmx:
    """What a .vmx says."""

    name: str
    annotation: str
    version: int | None
    memory_mb: int
    cpus: int
    bios_uuid: str | None
    instance_uuid: str | None
    location: str | None
    nvram: str
    disks: tuple[DiskRow, ...]
    cards: tuple[CardRow, ...]
    drives: tuple[DriveRow, ...]
    extra: dict[str, str]


def hardware_version(vm: Vm) -> int:
    """Return the version of a VM's hardware: its own, or what is usual on its host."""
    return vm.hardware.version or _HARDWARE.get(vm.host.version.partition(".")[0], _HARDWARE["8"])


def location_uuid(vm: Vm) -> str:
    """Return what uuid.location must be where the VM is (KB 1541: it follows from the place; how is `invented`)."""
    return steady_uuid("location", vm.datastore.uuid, vm.directory, vm.file_name)


def is_at_home(vm: Vm, location: str | None) -> bool:
    """Say whether a .vmx with this uuid.location was written for where the VM is; one without asks nothing."""
    return location in {None, location_uuid(vm)}


# Writing.


def vmx_of(vm: Vm) -> bytes:
    """Return the .vmx of a VM."""
    rows = {
        ".encoding": "UTF-8", "config.version": "8", "virtualHW.version": str(hardware_version(vm)),
        "displayName": vm.wire_name, "guestOS": "otherlinux-64", "memSize": str(vm.hardware.memory_mb),
        "numvcpus": str(vm.hardware.cpus), "uuid.bios": spelled_uuid(vm.bios_uuid),
        "uuid.location": spelled_uuid(vm.written_for or location_uuid(vm)), "vc.uuid": spelled_uuid(vm.instance_uuid),
        "scsi0.present": "TRUE", "scsi0.virtualDev": "pvscsi",
    }  # fmt: skip
    for file in vm.files:
        if file.kind == "nvram":
            rows["nvram"] = file.path
    if vm.annotation:
        rows["annotation"] = vm.annotation
    if vm.hardware.encrypted:
        rows["encryption.keySafe"] = "vmware:key/list/()"
    for number, disk in enumerate(vm.disks):
        rows |= {f"scsi0:{number}.present": "TRUE", f"scsi0:{number}.fileName": current_file(disk, vm)}
        if vm.hardware.change_tracking:
            rows[f"scsi0:{number}.ctkEnabled"] = "TRUE"
    for number, nic in enumerate(vm.nics):
        rows |= {f"ethernet{number}.{key}": value for key, value in _card(nic).items()}
    for number, (kind, detail) in enumerate(vm.hardware.devices):
        if kind in _TYPES:
            rows |= {f"ide0:{number}.{key}": value for key, value in _drive(kind, detail, vm, number).items()}
    return "".join(f'{key} = "{_escaped(value)}"\n' for key, value in (rows | vm.extra).items()).encode()


def current_file(disk: Disk, vm: Vm) -> str:
    """Return the file that a VM writes a disk into: its own, or the newest delta above it."""
    if not vm.deltas(disk):
        return disk.file if disk.datastore is vm.datastore else _absolute(disk, vm)
    return f"{disk.file.removesuffix('.vmdk')}-{vm.deltas(disk):06d}.vmdk"


def _absolute(disk: Disk, vm: Vm) -> str:
    return f"/vmfs/volumes/{disk.datastore.uuid}/{vm.directory}/{disk.file}"


def _card(nic: Nic) -> dict[str, str]:
    rows = {
        "present": "TRUE", "virtualDev": "vmxnet3", "addressType": "vpx", "generatedAddress": nic.mac,
        "startConnected": _word(nic.starts_connected),
    }  # fmt: skip
    if isinstance(nic.network, Portgroup):
        switch = spelled_uuid(nic.network.switch.uuid)
        return rows | {"dvs.switchId": switch, "dvs.portgroupId": nic.network.id}
    return rows | {"networkName": nic.network.name}


def _drive(kind: str, detail: str, vm: Vm, number: int) -> dict[str, str]:
    connected = kind != "client-cd" and number not in vm.hardware.unplugged
    rows = {"present": "TRUE", "deviceType": _TYPES[kind], "startConnected": _word(connected)}
    if kind == "client-cd":
        return rows | {"clientDevice": "TRUE", "fileName": ""}
    name, _, path = detail.removeprefix("[").partition("] ")
    volumes = {store.name: store.uuid for store in vm.host.datastores}
    return rows | {"fileName": f"/vmfs/volumes/{volumes.get(name, name)}/{path}" if kind == "iso" else detail}


def _word(value: object) -> str:
    return "TRUE" if value else "FALSE"


def _escaped(value: str) -> str:
    """Escape what would end a value, as a .vmx does it: a bar and the code."""
    return _ESCAPE.sub(lambda found: f"|{ord(found[0]):02X}", value)


# Reading.


def parse_vmx(raw: bytes) -> Vmx:
    """Read a .vmx. Refuses with BadVmxError what is none."""
    rows = _rows(raw)
    low = {key.lower(): value for key, value in rows.items()}
    if "config.version" not in low:
        raise BadVmxError("config.version is missing")
    if any(key.startswith("encryption.") for key in low):
        raise BadVmxError("it is encrypted, which is not played for files that come from elsewhere")
    return Vmx(
        name=unescaped(low.get("displayname", "")),
        annotation=low.get("annotation", ""),
        version=_number(low, "virtualhw.version"),
        memory_mb=_number(low, "memsize") or 32,
        cpus=_number(low, "numvcpus") or 1,
        bios_uuid=_uuid(low, "uuid.bios"),
        instance_uuid=_uuid(low, "vc.uuid"),
        location=_uuid(low, "uuid.location"),
        nvram=low.get("nvram", ""),
        disks=tuple(_disks(low)),
        cards=tuple(_cards(low)),
        drives=tuple(_drives(low)),
        extra={key: value for key, value in rows.items() if not _KNOWN.fullmatch(key.lower())},
    )


def _rows(raw: bytes) -> dict[str, str]:
    if len(raw) > _LARGEST:
        raise BadVmxError(f"it has {len(raw)} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadVmxError("it is not in UTF-8") from None
    rows: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        found = _ROW.fullmatch(bare)
        if found is None:
            raise BadVmxError(f"line {number} is no key with a value")
        rows[found[1]] = _CODE.sub(lambda code: chr(int(code[1], 16)), found[2] or found[3] or "")
    return rows


def _number(low: dict[str, str], key: str) -> int | None:
    value = low.get(key)
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) == 0:
        raise BadVmxError(f"{key} is no number")
    return int(value)


def _uuid(low: dict[str, str], key: str) -> str | None:
    value = low.get(key)
    if not value:
        return None
    found = plain_uuid(value)
    if found is None:
        raise BadVmxError(f"{key} is no UUID")
    return found


def _present(low: dict[str, str], pattern: re.Pattern[str]) -> Iterator[str]:
    """Yield the devices of a kind that are there, in the order of their numbers."""
    names = {key.partition(".")[0] for key in low}
    here = [name for name in names if pattern.fullmatch(name) and _flag(low, f"{name}.present")]
    yield from sorted(
        here, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
    )


def _flag(low: dict[str, str], key: str, *, otherwise: bool = False) -> bool:
    return low[key].upper() == "TRUE" if key in low else otherwise


def _disks(low: dict[str, str]) -> Iterator[DiskRow]:
    for name in _present(low, _BUS):
        if "cdrom" not in low.get(f"{name}.devicetype", "disk"):
            yield DiskRow(low.get(f"{name}.filename", ""), _flag(low, f"{name}.ctkenabled"))


def _cards(low: dict[str, str]) -> Iterator[CardRow]:
    for name in _present(low, _CARD):
        yield CardRow(
            low.get(f"{name}.networkname", ""),
            low.get(f"{name}.dvs.portgroupid", ""),
            plain_uuid(low.get(f"{name}.dvs.switchid", "")),
            low.get(f"{name}.address") or low.get(f"{name}.generatedaddress", ""),
            _flag(low, f"{name}.startconnected", otherwise=True),
        )


def _drives(low: dict[str, str]) -> Iterator[DriveRow]:
    for name in _present(low, _BUS):
        kind = _DRIVES.get(low.get(f"{name}.devicetype", ""))
        if kind is None:
            continue
        client = _flag(low, f"{name}.clientdevice")
        starts = _flag(low, f"{name}.startconnected", otherwise=True)
        yield DriveRow("client-cd" if client else kind, "" if client else low.get(f"{name}.filename", ""), starts)


def volume_path(file: str) -> tuple[str, str] | None:
    """Take a file below /vmfs/volumes apart: the name or UUID of its datastore, and its path there."""
    found = _VOLUME.fullmatch(file)
    return (found[1], found[2]) if found else None
