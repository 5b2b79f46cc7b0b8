"""The other commands of esxcli: the host's clock, its version, its file systems."""

from __future__ import annotations

from bot.playground.esxi.esxcli import Order, Reply, Row, command
from bot.playground.esxi.line_forms import zulu

_BUILD = "Releasebuild-24022510"


@command("system.time", "get")
def time(order: Order) -> Reply:
    """Tell the time by the host's own clock, which may be off."""
    return Reply(f"{zulu(order.around.now)[:19]}Z")


@command("system.version", "get")
def version(order: Order) -> Reply:
    number = order.machine.logs.version
    row: Row = {
        "Build": _BUILD,
        "Patch": "55",
        "Product": "VMware ESXi",
        "Update": number.split(".")[2] if number.count(".") > 1 else "0",
        "Version": number,
    }
    return Reply([row], "VimEsxCLIsystemversiongetVersionGet")


@command("storage.filesystem", "list")
def filesystems(order: Order) -> Reply:
    rows: list[Row] = [
        {
            "Free": volume.free,
            "MountPoint": f"/vmfs/volumes/{volume.uuid}",
            "Mounted": True,
            "Size": volume.capacity,
            "Type": "VMFS-6",
            "UUID": volume.uuid,
            "VolumeName": volume.name,
        }
        for volume in order.around.volumes
    ]
    return Reply(rows, "VimEsxCLIstoragefilesystemlistFileSystem")
