"""How leases and datastore browsers look on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.playground.vcenter.inventory import Datastore
from bot.playground.vcenter.leases import Lease, LeaseState
from bot.playground.vcenter.wire import Data, Ref

if TYPE_CHECKING:
    from bot.playground.vcenter.properties import Maker

_BROWSER = "HostDatastoreBrowser"
_BROWSER_OF = "datastoreBrowser-"
_WHOLE = 100


def browser(store: Datastore) -> Ref:
    """Return the reference of a datastore's browser."""
    return Ref(_BROWSER, f"{_BROWSER_OF}{store.id}")


def browsed(ref: Ref) -> Ref | None:
    """Return the datastore that a browser is of, None for what is no browser."""
    return Ref("Datastore", ref.id.removeprefix(_BROWSER_OF)) if ref.type == _BROWSER else None


LEASE: dict[str, Maker] = {
    "state": lambda _reader, lease: str(lease.state),
    "info": lambda _reader, lease: lease.info,
    "error": lambda _reader, lease: lease.fault.localized if lease.fault else None,
    "initializeProgress": lambda _reader, lease: _initialized(lease),
    "transferProgress": lambda _reader, lease: lease.percent,
    "mode": lambda _reader, _lease: "pushOrGet",
    "capabilities": lambda _reader, _lease: Data(
        "HttpNfcLeaseCapabilities", pullModeSupported=False, corsSupported=False
    ),
}

BROWSER: dict[str, Maker] = {"datastore": lambda _reader, store: [store.ref]}

DOORS: dict[str, dict[str, Maker]] = {
    "HttpNfcLease": LEASE,
    _BROWSER: BROWSER,
    "FileManager": {},
    "VirtualDiskManager": {},
}


def _initialized(lease: Lease) -> int:
    return 0 if lease.state is LeaseState.INITIALIZING else _WHOLE
