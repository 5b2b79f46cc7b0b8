"""How the service itself looks on the wire: its content, sessions, tasks and views; and the list of all makers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.playground.vcenter.collector import DEFAULT_COLLECTOR, Collector
from bot.playground.vcenter.custom_fields import CUSTOM_FIELDS_MANAGER
from bot.playground.vcenter.far_side import instance_uuid
from bot.playground.vcenter.happenings import EVENT_MANAGER
from bot.playground.vcenter.histories import PER_SESSION
from bot.playground.vcenter.properties_doors import DOORS
from bot.playground.vcenter.properties_places import (
    CLUSTER,
    DATACENTER,
    DATASTORE,
    ENTITY,
    FOLDER,
    HOST,
    NETWORK,
    POOL,
    PORTGROUP,
    SWITCH,
    VAPP,
)
from bot.playground.vcenter.properties_vm import VM
from bot.playground.vcenter.sessions import SESSION_MANAGER
from bot.playground.vcenter.tasks import TASK_MANAGER
from bot.playground.vcenter.wire import Data, Ref

if TYPE_CHECKING:
    from bot.playground.vcenter.properties import Maker, Reader
    from bot.playground.vcenter.universe import Estate

_LOCALES = ["en"]


def api_version(version: str) -> str:
    """Turn 8.0.3 into the API version 8.0.3.0, and 6.7 into 6.7."""
    parts = version.split(".")
    return ".".join([*parts, "0"]) if parts[0] >= "8" or len(parts) > 2 else version  # noqa: PLR2004 - x.y or x.y.z


def service_content(estate: Estate) -> Data:
    """Return what a client learns first: the root folder and the managers this vCenter plays."""
    version = estate.spec.version
    about = Data(
        "AboutInfo",
        name="VMware vCenter Server",
        fullName=f"VMware vCenter Server {version} build-24022515",
        vendor="VMware, Inc.",
        version=version,
        build="24022515",
        localeVersion="INTL",
        localeBuild="000",
        osType="linux-x64",
        productLineId="vpx",
        apiType="VirtualCenter",
        apiVersion=api_version(version),
        instanceUuid=instance_uuid(estate),
        licenseProductName="VMware VirtualCenter Server",
        licenseProductVersion=f"{version.partition('.')[0]}.0",
    )
    return Data(
        "ServiceContent",
        rootFolder=estate.inventory.root.ref,
        propertyCollector=DEFAULT_COLLECTOR,
        viewManager=Ref("ViewManager", "ViewManager"),
        about=about,
        sessionManager=SESSION_MANAGER,
        authorizationManager=Ref("AuthorizationManager", "AuthorizationManager"),
        eventManager=EVENT_MANAGER,
        taskManager=TASK_MANAGER,
        customFieldsManager=CUSTOM_FIELDS_MANAGER,
        diagnosticManager=Ref("DiagnosticManager", "DiagnosticManager"),
        searchIndex=Ref("SearchIndex", "SearchIndex"),
        fileManager=Ref("FileManager", "FileManager"),
        virtualDiskManager=Ref("VirtualDiskManager", "VirtualDiskManager"),
        vmProvisioningChecker=Ref("VirtualMachineProvisioningChecker", "VirtualMachineProvisioningChecker"),
    )


def _filters(_reader: Reader, collector: Collector) -> list[Ref]:
    return list(collector.filters)


SERVICE: dict[str, dict[str, Maker]] = {
    "ServiceInstance": {
        "content": lambda reader, _thing: service_content(reader.estate),
        "serverClock": lambda reader, _thing: reader.estate.universe.clock(),
    },
    "SessionManager": {
        "currentSession": lambda reader, _thing: reader.session.data if reader.session else None,
        "sessionList": lambda reader, _thing: [session.data for session in reader.estate.sessions.all()],
        "messageLocaleList": lambda _reader, _thing: _LOCALES,
        "supportedLocaleList": lambda _reader, _thing: _LOCALES,
        "defaultLocale": lambda _reader, _thing: "en",
    },
    "TaskManager": {
        "recentTask": lambda reader, _thing: [task.ref for task in reader.estate.tasks.recent()],
        "maxCollector": lambda _reader, _thing: PER_SESSION,
    },
    "Task": {"info": lambda _reader, task: task.info},
    "TaskHistoryCollector": {"latestPage": lambda _reader, history: history.latest_page()},
    "EventManager": {
        "latestEvent": lambda reader, _thing: reader.estate.events.latest and reader.estate.events.latest.data,
        "maxCollector": lambda _reader, _thing: PER_SESSION,
    },
    "EventHistoryCollector": {
        "latestPage": lambda _reader, history: history.latest_page(),
        "initialized": lambda _reader, _history: True,
    },
    "CustomFieldsManager": {
        "field": lambda reader, _thing: [found.data for found in reader.estate.custom_fields.all()]
    },
    "VirtualMachineProvisioningChecker": {},
    "ContainerView": {
        "view": lambda reader, view: view.members(reader),
        "container": lambda _reader, view: view.container.ref,
        "type": lambda _reader, view: list(view.types),
        "recursive": lambda _reader, view: view.recursive,
    },
    "ListView": {"view": lambda reader, view: view.members(reader)},
    "ViewManager": {},
    "PropertyCollector": {"filter": _filters},
    "PropertyFilter": {},
    "SearchIndex": {},
    "DiagnosticManager": {},
    "AuthorizationManager": {"roleList": lambda reader, _thing: reader.estate.rights.roles()},
}

MAKERS: dict[str, dict[str, Maker]] = {
    **SERVICE,
    **DOORS,
    "ManagedEntity": ENTITY,
    "Folder": FOLDER,
    "Datacenter": DATACENTER,
    "ComputeResource": CLUSTER,
    "ResourcePool": POOL,
    "VirtualApp": VAPP,
    "HostSystem": HOST,
    "Datastore": DATASTORE,
    "Network": NETWORK,
    "DistributedVirtualPortgroup": PORTGROUP,
    "DistributedVirtualSwitch": SWITCH,
    "VirtualMachine": VM,
}
