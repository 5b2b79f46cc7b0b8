"""Methods that read: single properties, the PropertyCollector, views, and the search index."""

from __future__ import annotations

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.collector import Collector, Filter, as_collector, object_content
from bot.playground.vcenter.inventory import Cluster, Datacenter, Entity, Folder, Host, Pool, Vm, children
from bot.playground.vcenter.naming import unescaped
from bot.playground.vcenter.properties import Missing
from bot.playground.vcenter.selection import parse_selection
from bot.playground.vcenter.views import ContainerView, ListView
from bot.playground.vcenter.wire import Ref

_ALL = 10_000
_CONTAINERS = (Folder, Datacenter, Cluster, Pool, Host)


def _collector(call: Call) -> Collector:
    return as_collector(call.reader.find(call.request.target))


@method("Fetch", on="ManagedObject", anybody=True)
async def fetch(call: Call) -> str:
    """Read one property, as the attribute access of client libraries does."""
    found = call.reader.read(call.request.target, call.args.value("prop") or "", "returnval")
    if isinstance(found, Missing):
        raise found.refusal
    return found or ""


def _contents(call: Call, tag: str) -> list[str]:
    texts: list[str] = []
    for spec in call.args.all("specSet"):
        selection = parse_selection(spec)
        chosen = selection.choose(call.reader)
        if chosen.absent and not selection.report_absent:
            raise faults.not_found(chosen.absent[0])
        for ref in chosen.objects:
            paths = selection.paths(call.reader, ref)
            texts.append(object_content(call.reader, call.rendering, ref, paths, tag))
    return texts


@method("RetrieveProperties", on="PropertyCollector")
async def retrieve_properties(call: Call) -> str:
    return "".join(_contents(call, "returnval"))


@method("RetrievePropertiesEx", on="PropertyCollector")
async def retrieve_properties_ex(call: Call) -> str:
    options = call.args.one("options")
    size = options.number("maxObjects") if options else None
    return _collector(call).page(_contents(call, "objects"), size or _ALL)


@method("ContinueRetrievePropertiesEx", on="PropertyCollector")
async def continue_retrieve_properties_ex(call: Call) -> str:
    return _collector(call).next_page(call.args.value("token") or "")


@method("CancelRetrievePropertiesEx", on="PropertyCollector")
async def cancel_retrieve_properties_ex(call: Call) -> str:
    _collector(call).drop_pages(call.args.value("token") or "")
    return ""


@method("CreatePropertyCollector", on="PropertyCollector")
async def create_property_collector(call: Call) -> str:
    collector = Collector(Ref("PropertyCollector", ""))
    collector.ref = call.session.keep("PropertyCollector", collector)
    return returned(collector.ref, "PropertyCollector")


@method("DestroyPropertyCollector", on="PropertyCollector")
async def destroy_property_collector(call: Call) -> str:
    collector = _collector(call)
    for ref in collector.filters:
        call.session.objects.pop(ref, None)
    collector.destroy()
    call.session.objects.pop(call.request.target, None)
    call.estate.inventory.changes.touch()
    return ""


@method("CreateFilter", on="PropertyCollector")
async def create_filter(call: Call) -> str:
    spec = call.args.one("spec")
    if spec is None:
        raise faults.invalid_argument("spec")
    selection = parse_selection(spec)
    chosen = selection.choose(call.reader)
    if chosen.absent and not selection.report_absent:
        raise faults.not_found(chosen.absent[0])
    for ref in chosen.objects:  # an unknown path is refused here, not in the middle of a long poll
        for path in selection.paths(call.reader, ref):
            call.rendering.read(call.reader, ref, path)
    filter_, collector = Filter(selection), _collector(call)
    ref = call.session.keep("PropertyFilter", filter_)
    collector.filters[ref] = filter_
    call.estate.inventory.changes.touch()
    return returned(ref, "PropertyFilter")


@method("DestroyPropertyFilter", on="PropertyFilter")
async def destroy_property_filter(call: Call) -> str:
    target = call.request.target
    for thing in call.session.objects.values():
        if isinstance(thing, Collector):
            thing.filters.pop(target, None)
    call.session.objects.pop(target, None)
    return ""


@method("WaitForUpdatesEx", on="PropertyCollector")
async def wait_for_updates_ex(call: Call) -> str:
    options = call.args.one("options")
    seconds = options.number("maxWaitSeconds") if options else None
    limit = options.number("maxObjectUpdates") if options else None
    return await _wait(call, seconds=seconds, limit=limit)


@method("WaitForUpdates", on="PropertyCollector")
async def wait_for_updates(call: Call) -> str:
    return await _wait(call, seconds=None, limit=None)


@method("CheckForUpdates", on="PropertyCollector")
async def check_for_updates(call: Call) -> str:
    return await _wait(call, seconds=0, limit=None)


async def _wait(call: Call, *, seconds: int | None, limit: int | None) -> str:
    version = call.args.value("version") or ""
    return await _collector(call).wait(
        call.reader, call.rendering, version=version, seconds=seconds, limit=limit or _ALL, gone=call.gone
    )


@method("CancelWaitForUpdates", on="PropertyCollector")
async def cancel_wait_for_updates(call: Call) -> str:
    _collector(call).cancel()
    call.estate.inventory.changes.touch()
    return ""


@method("CreateContainerView", on="ViewManager")
async def create_container_view(call: Call) -> str:
    container = call.reader.find(call.args.reference("container") or Ref("", ""))
    if not isinstance(container, _CONTAINERS):
        raise faults.invalid_argument("container", "expected something that holds others")
    if not call.session.sees(container):
        raise faults.no_permission(container.ref, "System.View")
    types = tuple(node.text.rpartition(":")[2] for node in call.args.all("type"))
    view = ContainerView(container, types, call.args.flag("recursive"))
    return returned(call.session.keep("ContainerView", view), "ContainerView")


@method("CreateListView", on="ViewManager")
async def create_list_view(call: Call) -> str:
    view = ListView(dict.fromkeys(node.ref for node in call.args.all("obj")))
    return returned(call.session.keep("ListView", view), "ListView")


def _list_view(call: Call) -> ListView:
    view = call.reader.find(call.request.target)
    if not isinstance(view, ListView):
        raise faults.not_found(call.request.target)
    return view


@method("ModifyListView", on="ListView")
async def modify_list_view(call: Call) -> str:
    """Change a list view; what could not be added, because it does not exist, is returned."""
    view, unresolved = _list_view(call), []
    for node in call.args.all("add"):
        if call.reader.find(node.ref) is None:
            unresolved.append(node.ref)
        else:
            view.refs[node.ref] = None
    for node in call.args.all("remove"):
        view.refs.pop(node.ref, None)
    call.estate.inventory.changes.touch(call.request.target)
    return returned(unresolved, "ManagedObject")


@method("ResetListView", on="ListView")
async def reset_list_view(call: Call) -> str:
    present = (node.ref for node in call.args.all("obj") if call.reader.find(node.ref) is not None)
    _list_view(call).refs = dict.fromkeys(present)
    call.estate.inventory.changes.touch(call.request.target)
    return ""


@method("DestroyView", on="View")
async def destroy_view(call: Call) -> str:
    call.session.objects.pop(call.request.target, None)
    return ""


@method("FindByInventoryPath", on="SearchIndex", privilege="System.View")
async def find_by_inventory_path(call: Call) -> str:
    """Follow names from the root; %2f, %5c and %25 stand for the characters a name may not show."""
    path = (call.args.value("inventoryPath") or "").strip("/")
    found = call.estate.inventory.at(path) if path else None
    return returned(found.ref if found and call.session.sees(found) else None, "ManagedEntity")


@method("FindChild", on="SearchIndex", privilege="System.View")
async def find_child(call: Call) -> str:
    """Find a child by its name, as it is kept; only what stands right below the entity."""
    above = call.estate.inventory.find(call.args.reference("entity"))
    name = unescaped(call.args.value("name") or "")
    found = next((entity for entity in children(above) if entity.name == name and call.session.sees(entity)), None)
    return returned(found.ref if found else None, "ManagedEntity")


@method("FindByUuid", on="SearchIndex", privilege="System.View")
async def find_by_uuid(call: Call) -> str:
    found = _by_uuid(call)
    return returned(found[0] if found else None, "ManagedEntity")


@method("FindAllByUuid", on="SearchIndex", privilege="System.View")
async def find_all_by_uuid(call: Call) -> str:
    return returned(_by_uuid(call), "ManagedEntity")


def _by_uuid(call: Call) -> list[Ref]:
    uuid = (call.args.value("uuid") or "").lower()
    within = call.args.reference("datacenter")
    found: list[Entity] = []
    if call.args.flag("vmSearch"):
        instance = call.args.flag("instanceUuid")
        vms = call.estate.inventory.each(Vm)
        found += [vm for vm in vms if uuid == (vm.instance_uuid if instance else vm.bios_uuid)]
    else:
        found += [host for host in call.estate.inventory.each(Host) if host.uuid == uuid]
    return [
        entity.ref
        for entity in found
        if call.session.sees(entity) and (within is None or (entity.datacenter and entity.datacenter.ref == within))
    ]
