"""What the caller knows of the migration that a log is read for. Everything may be missing; nothing is looked up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFacts:
    """One virtual disk. `descriptor` is its datastore path, `[ds-1] web01/web01_1.vmdk`; `flat_bytes` its capacity."""

    descriptor: str
    flat_bytes: int | None = None
    thin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A migration in plain words and numbers. Folders are the VM's directories on the datastores, without slashes."""

    vm: str | None = None
    source_host: str | None = None
    destination_host: str | None = None
    source_site: str | None = None
    destination_site: str | None = None
    source_datastore: str | None = None
    destination_datastore: str | None = None
    source_folder: str | None = None
    destination_folder: str | None = None
    disks: tuple[DiskFacts, ...] = ()
    op_id: str | None = None
    task: str | None = None
