"""`/nfc/TICKET/FILE` on a host: disks of a lease as stream-optimised VMDKs. The ticket in the URL is all the proof.

There are no ranges: a transfer that breaks begins anew. Statuses are `invented` beside 200 and 404.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from aiohttp import hdrs, web

from bot.playground.esxi.disk_content import BLOCK, Content
from bot.playground.esxi.https import MACHINE
from bot.playground.esxi.spool import SpoolFullError
from bot.playground.esxi.streams import BodyBrokeOffError, Carry, body_of, let_finish, send_pieces
from bot.playground.esxi.vmdk_format import DamagedVmdkError
from bot.playground.esxi.vmdk_reader import VmdkReader
from bot.playground.esxi.vmdk_writer import vmdk_stream
from bot.playground.vcenter import faults
from bot.playground.vcenter.disk_descriptor import content_id
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.imports import Import
from bot.playground.vcenter.inventory import Disk
from bot.playground.vcenter.leases import Device, Lease, LeaseState, Transferred
from bot.playground.vcenter.universe import Estate
from bot.playground.vcenter.wire import Data

_PATH = "/nfc/{ticket}/{name}"
_KIND = "application/x-vnd.vmware-streamVmdk"


def nfc_routes(estate: Estate) -> list[web.RouteDef]:
    """Return the routes of the hosts of a vCenter; they need the machine of the request."""
    door = NfcDoor(estate)
    return [
        web.get(_PATH, door.download, allow_head=False),
        web.put(_PATH, door.upload),
        web.post(_PATH, door.upload),
    ]


class NfcDoor:
    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def _asked(self, request: web.Request, *, importing: bool) -> tuple[Lease, Device]:
        """Return lease and device of a URL. Refuses with 404 what is no lease, with 405 the wrong direction."""
        lease = self._estate.doors.leases.find(request.match_info["ticket"])
        device = lease.device(request.match_info["name"]) if lease else None
        if lease is None or device is None or lease.host.name != request[MACHINE].name:
            raise web.HTTPNotFound(text="404 Not Found")
        if lease.importing is not importing:
            raise web.HTTPMethodNotAllowed(request.method, ["PUT", "POST"] if lease.importing else ["GET"])
        return lease, device

    async def download(self, request: web.Request) -> web.StreamResponse:
        lease, device = self._asked(request, importing=False)
        content = device.content
        if content is None:
            raise web.HTTPNotFound(text="404 Not Found")
        digest, size = hashlib.sha1(usedforsecurity=False), 0

        def made() -> Iterator[bytes]:
            nonlocal size
            for piece in _stream(device, content):
                digest.update(piece)
                size += len(piece)
                yield piece

        with lease.session.busy(), self._estate.doors.traffic.flow(lease.host) as flow:
            reply = await send_pieces(
                request, made(), carry=_while_held(lease, flow.carry), headers={hdrs.CONTENT_TYPE: _KIND}
            )
        device.transferred = Transferred(digest.hexdigest(), size, content.used)
        return reply

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Fill a disk. Whatever goes wrong ends the lease, as half a disk is none."""
        lease, device = self._asked(request, importing=True)
        disk, purpose = device.disk, lease.purpose
        if disk is None or not isinstance(purpose, Import):
            raise web.HTTPNotFound(text="404 Not Found")
        device.transferred = None
        try:
            with lease.session.busy(), self._estate.doors.traffic.flow(lease.host) as flow:
                device.transferred = await _fill(request, purpose, disk, carry=_while_held(lease, flow.carry))
        except DamagedVmdkError as error:
            text = f"The format of {device.name} is not valid: {error}."
            fault, status = Fault(Data("InvalidDiskFormat"), text), 400
        except BodyBrokeOffError as error:
            fault, status = faults.system_error(f"{device.name}: {error}"), 400
        except SpoolFullError as error:
            fault, status = faults.system_error(f"{device.name}: {error}"), 507
        except Fault as error:
            fault, status = error, 507
        else:
            return web.Response()
        lease.fail(fault)
        await let_finish(request)
        return web.Response(status=status, text=str(fault))


def _stream(device: Device, content: Content) -> Iterator[bytes]:
    if device.disk:
        yield from vmdk_stream(content, name=device.name, cid=content_id(device.disk))
    else:
        yield from (block[: content.size - at] for at in range(0, content.size, BLOCK)
                    if (block := content.block(at // BLOCK)) is not None)  # fmt: skip


async def _fill(request: web.Request, purpose: Import, disk: Disk, *, carry: Carry) -> Transferred:
    content, reader = purpose.blank(disk), VmdkReader(disk.capacity)
    digest, size = hashlib.sha1(usedforsecurity=False), 0
    async for piece in body_of(request, carry=carry):
        digest.update(piece)
        size += len(piece)
        for number, grain in reader.feed(piece):
            purpose.write(disk, content, number, grain)
    reader.close()
    return Transferred(digest.hexdigest(), size, content.used)


def _while_held(lease: Lease, carry: Carry) -> Carry:
    """Let bytes flow as long as the lease is held."""

    async def carry_on(size: int) -> None:
        lease.estate.doors.leases.sweep()
        if lease.state is not LeaseState.READY:
            raise ConnectionError("the lease has ended")
        await carry(size)

    return carry_on
