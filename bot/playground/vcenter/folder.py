"""`/folder`: files of datastores over HTTP, of a vCenter and of its hosts.

URLs and methods are those of the Web Services SDK Programming Guide, "Datastore Access (/folder)"; statuses beside
200, 201, 206, 401 and 404, and the look of the listings, are `invented`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from aiohttp import web

from bot.playground.esxi.spool import SpoolFullError
from bot.playground.esxi.streams import BodyBrokeOffError, body_of, let_finish, send_content
from bot.playground.vcenter.datastore_paths import cleaned
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.folder_access import Access, HostAccess, May, Place, VCenterAccess
from bot.playground.vcenter.shelves import Shelf
from bot.playground.vcenter.universe import Estate

_READ, _WRITE = "Datastore.Browse", "Datastore.FileManagement"
_CREATED, _REPLACED, _DELETED, _BROKE_OFF = 201, 200, 204, 400
_FULL = 507
_REFUSED = {"FileNotFound": 404, "FileAlreadyExists": 409, "NoDiskSpace": _FULL}
_ROUTES = ("/folder", "/folder/{path:.*}")
Row = tuple[str, str, int | None, datetime | None]
"""Name, link, size where it is a file, and when it was written."""


def vcenter_routes(estate: Estate) -> list[web.RouteDef]:
    """Return the routes of a vCenter."""
    return _routes(FolderDoor(estate, VCenterAccess(estate)))


def host_routes(estate: Estate) -> list[web.RouteDef]:
    """Return the routes of the hosts of a vCenter; they need the machine of the request."""
    return _routes(FolderDoor(estate, HostAccess(estate)))


def _routes(door: FolderDoor) -> list[web.RouteDef]:
    verbs = {"GET": door.get, "PUT": door.put, "DELETE": door.delete}
    # aiohttp answers HEAD by the handler of GET
    return [web.route(verb, path, handler) for path in _ROUTES for verb, handler in verbs.items()]


class FolderDoor:
    """Answers for one kind of server."""

    def __init__(self, estate: Estate, access: Access) -> None:
        self._estate = estate
        self._access = access

    async def get(self, request: web.Request) -> web.StreamResponse:
        visitor = self._access.visitor(request)
        if "dsName" not in request.query:
            return self._list_above(request, visitor.may)
        place, path = self._asked(request, visitor.may, _READ)
        try:
            shelf = self._estate.universe.depot.shelf(place.store)
            if path in shelf.directories():
                return _page(f"{path or '/'} on datastore {place.store.name} in datacenter {place.datacenter}",
                             _rows(shelf, place, path))  # fmt: skip
            file = shelf.find(path)
        except Fault as fault:
            raise _refusal(fault) from fault
        if file.locked:
            raise web.HTTPInternalServerError(text=f"500 Internal Server Error: {path} is locked")
        with visitor.busy(), self._estate.doors.traffic.flow(place.host) as flow:
            return await send_content(request, file.content, carry=flow.carry)

    async def put(self, request: web.Request) -> web.StreamResponse:
        """Write a file from the front; there is no way to go on with one. What breaks off stays, and takes space."""
        visitor = self._access.visitor(request)
        place, path = self._asked(request, visitor.may, _WRITE)
        try:
            shelf = self._estate.universe.depot.shelf(place.store)
            status = _REPLACED if path in shelf.files() else _CREATED
            if (request.content_length or 0) > place.store.free:
                raise _full()
            with visitor.busy():
                await self._take(request, shelf, path, place)
        except BodyBrokeOffError:
            return web.Response(status=_BROKE_OFF)
        except web.HTTPException:
            await let_finish(request)
            raise
        except Fault as fault:
            await let_finish(request)
            raise _refusal(fault) from fault
        return web.Response(status=status)

    async def _take(self, request: web.Request, shelf: Shelf, path: str, place: Place) -> None:
        writing = shelf.writer(path)
        with self._estate.doors.traffic.flow(place.host) as flow:
            try:
                async for piece in body_of(request, carry=flow.carry):
                    writing.append(piece)
            except SpoolFullError as error:
                raise _full(str(error)) from error
            finally:
                writing.end()

    async def delete(self, request: web.Request) -> web.StreamResponse:
        visitor = self._access.visitor(request)
        place, path = self._asked(request, visitor.may, _WRITE)
        try:
            self._estate.universe.depot.shelf(place.store).delete(path)
        except Fault as fault:
            raise _refusal(fault) from fault
        return web.Response(status=_DELETED)

    def _asked(self, request: web.Request, may: May, privilege: str) -> tuple[Place, str]:
        """Return what a request is about. Refuses unknown places with 404, and with 403 what one may not do there."""
        name = request.query.get("dsName", "")
        places = self._access.places(request, request.query.get("dcPath", ""))
        place = next((place for place in places if place.store.name == name), None)
        path = cleaned(request.match_info.get("path", ""))
        if place is None or path is None:
            raise web.HTTPNotFound(text="404 Not Found")
        if not may(privilege, place.store):
            raise web.HTTPForbidden(text=f"403 Forbidden: {privilege} is required on datastore {name}")
        return place, path

    def _list_above(self, request: web.Request, may: May) -> web.StreamResponse:
        """List datacenters, or the datastores of one."""
        if request.match_info.get("path"):
            raise web.HTTPNotFound(text="404 Not Found: dsName is missing")
        if "dcPath" not in request.query:
            links = {name: f"/folder?dcPath={quote(name, safe='')}" for name in self._access.datacenters()}
            return _page("datacenters", [(name, link, None, None) for name, link in links.items()])
        datacenter = request.query["dcPath"]
        places = [place for place in self._access.places(request, datacenter) if may(_READ, place.store)]
        rows: list[Row] = [(place.store.name, _link(place, ""), None, None) for place in places]
        return _page(f"datastores in datacenter {datacenter}", rows)


def _rows(shelf: Shelf, place: Place, path: str) -> list[Row]:
    """List what lies directly in a directory, directories first."""
    prefix = f"{path}/" if path else ""
    inside = [below for below in shelf.directories() if below.startswith(prefix) and "/" not in below[len(prefix) :]]
    rows: list[Row] = [(f"{d[len(prefix) :]}/", _link(place, d), None, None) for d in sorted(inside) if d != path]
    for file in sorted(shelf.below(path), key=lambda file: file.path):
        name = file.path[len(prefix) :]
        if "/" not in name:
            rows.append((name, _link(place, file.path), file.size, file.modified))
    return rows


def _link(place: Place, path: str) -> str:
    where = f"dcPath={quote(place.datacenter, safe='')}&dsName={quote(place.store.name, safe='')}"
    return f"/folder{'/' if path else ''}{quote(path)}?{where}"


def _page(what: str, rows: Iterable[Row]) -> web.Response:
    lines = [
        f'<tr><td><a href="{html.escape(link)}">{html.escape(name)}</a></td>'
        f'<td align="right">{f"{at:%d-%b-%Y %H:%M}" if at else ""}</td>'
        f'<td align="right">{"" if size is None else size}</td></tr>'
        for name, link, size, at in rows
    ]
    title = html.escape(f"Index of {what}")
    text = (
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1><table>\n"
        "<tr><th>Name</th><th>Last modified</th><th>Size</th></tr>\n" + "\n".join(lines) + "\n</table></body></html>"
    )
    return web.Response(text=text, content_type="text/html")


def _full(why: str = "the datastore has not so much free space") -> web.HTTPException:
    return web.HTTPInsufficientStorage(text=f"507 Insufficient Storage: {why}")


def _refusal(fault: Fault) -> web.HTTPException:
    """Return the status that stands for a fault."""
    kinds: dict[int, type[web.HTTPException]] = {
        404: web.HTTPNotFound,
        409: web.HTTPConflict,
        _FULL: web.HTTPInsufficientStorage,
    }
    status = _REFUSED.get(fault.data.type, 500)
    return kinds.get(status, web.HTTPInternalServerError)(text=f"{status}: {fault}")
