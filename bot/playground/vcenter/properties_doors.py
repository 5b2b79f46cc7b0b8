"""How leases, datastore browsers and the clocks of hosts look on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.playground.vcenter.inventory import Datastore, Host
from bot.playground.vcenter.leases import Lease, LeaseState
from bot.playground.vcenter.wire import Data, Ref

if TYPE_CHECKING:
    from bot.playground.vcenter.properties import Maker

_BROWSER = "HostDatastoreBrowser"
_BROWSER_OF = "datastoreBrowser-"
_CLOCK = "HostDateTimeSystem"
_CLOCK_OF = "dateTimeSystem-"
_WHOLE = 100


def browser(store: Datastore) -> Ref:
    """Return the reference of a datastore's browser."""
    return Ref(_BROWSER, f"{_BROWSER_OF}{store.id}")


def clock_of(host: Host) -> Ref:
    """Return the reference of what keeps a host's time."""
    return Ref(_CLOCK, f"{_CLOCK_OF}{host.id}")


def owner(ref: Ref) -> Ref | None:
    """Return the entity that a browser or a clock is of, None for what is neither."""
    match ref.type:
        case "HostDatastoreBrowser":
            return Ref("Datastore", ref.id.removeprefix(_BROWSER_OF))
        case "HostDateTimeSystem":
            return Ref("HostSystem", ref.id.removeprefix(_CLOCK_OF))
        case _:
            return None


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
    _CLOCK: {},
    "FileManager": {},
    "VirtualDiskManager": {},
}


def _initialized(lease: Lease) -> int:
    return 0 if lease.state is LeaseState.INITIALIZING else _WHOLE
