"""Where our played vCenter and govmomi's simulator differ, each with the reason why the player's way is the right one.

The contract tests ask `Peer.says` for what this peer answers, so that an entry that is no longer true fails them; an
entry that no test asks for fails `test_contract_differences`. What is not listed here is alike on both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """What each of both answers, why the player's answer is right for us, and who says so."""

    player: Any
    vcsim: Any
    why: str
    source: str


API = "vSphere Web Services API reference, "
VCSIM = "tried on govmomi v0.52.0"

DIFFERENCES: dict[str, Difference] = {
    # Tasks and migrations
    "a running relocation tells percents": Difference(
        True, False, "the product's card, stall clock and time left are made of them", f"TaskInfo.progress; {VCSIM}"
    ),
    "tasks name the user who asked": Difference(
        True, False, "a person sees in the task list who moved a VM", f"{API}TaskReasonUser; {VCSIM} says 'vcsim'"
    ),
    "events of a migration's chain": Difference(
        ["TaskEvent", "VmBeingMigratedEvent", "VmMigratedEvent"],
        [],
        "eventChainId joins task and events, which tells a migration of ours from one started by hand",
        f"{API}TaskInfo.eventChainId; {VCSIM}: it is always 0",
    ),
    "descriptionId of a folder move": Difference(
        "Folder.moveInto",
        "Folder.moveIntoFolder",
        "a vCenter's own table of task descriptions has the former",
        "govmomi simulator/vpx/task_manager.go, taken from a vCenter",
    ),
    "moving a VM into a folder of another datacenter": Difference(
        ("error", "InvalidFolder", "stayed"),
        ("success", None, "moved"),
        "a VM changes its datacenter by a relocation alone",
        f"{API}Folder.moveInto, faults",
    ),
    "renaming a folder to a taken name": Difference(
        "DuplicateName", "InvalidArgument", "the fault that ManagedEntity.rename declares", f"{API}rename, faults"
    ),
    # Checks
    "CheckRelocate names the host it looked at": Difference(
        True, False, "one answer per host is what a person can act on", f"{API}CheckResult.host"
    ),
    "CheckRelocate finds that a machine is on": Difference(
        ["InvalidPowerState"], [], "an advisory check must at least find what it is asked for", f"{VCSIM}: always empty"
    ),
    # Sessions and rights
    "currentSession without a session": Difference(
        None,
        "NotAuthenticated",
        "pyVmomi's own re-login asks for it and expects null",
        f"{API}SessionManager.currentSession",
    ),
    "privileges of an unknown user": Difference(
        False, True, "the product's doctor must see what is missing", f"{VCSIM}: granted to everybody"
    ),
    "permissions of an unknown role": Difference(
        "NotFound", 0, "the fault that RetrieveRolePermissions declares", f"{API}RetrieveRolePermissions, faults"
    ),
    # Events
    "a VM's migration among its host's own events": Difference(
        [], ["VmMigratedEvent"], "self leaves out what happened to children", f"{API}EventFilterSpecRecursionOption"
    ),
    "everything among the root folder's own events": Difference(
        [], ["VmMigratedEvent"], "self leaves out what happened to children", f"{API}EventFilterSpecRecursionOption"
    ),
    "type ids with their namespace": Difference(
        ["VmMigratedEvent"], [], "both spellings are in use among tools", "event mapping of lamw/vcenter-event-mapping"
    ),
    "events of a VM that is not there": Difference(
        "ManagedObjectNotFound", 0, "a filter on nothing is a mistake that must be heard", f"{API}ManagedObjectNotFound"
    ),
    "EventManager.latestEvent": Difference(
        True, False, "a cheap look at whether anything happened", f"{API}EventManager"
    ),
    "what a rewound cursor reads": Difference(
        [0, 1, 2], [1, 2, 3], "a rewound cursor stands before the oldest item, not on it", f"{API}RewindCollector"
    ),
    "a cursor reads back what it has just read": Difference(
        True,
        False,
        "the cursor stands behind the last item read, so that item is the first one back",
        f"{API}HistoryCollector, scrollable view",
    ),
    "a reset cursor stands before the latest page": Difference(
        True, False, "reading back after a reset leaves the latest page out", f"{API}ResetCollector"
    ),
    "LogUserEvent": Difference(None, "MethodNotFound", "a trace that others can read", f"{API}LogUserEvent; {VCSIM}"),
    # Property collector and views
    "an unknown property": Difference(
        "InvalidProperty",
        ["nonsense"],
        "RetrieveProperties throws; a typing error of ours must not read as an unset property",
        f"{API}RetrieveProperties, faults",
    ),
    "a filter on an unknown property": Difference(
        "InvalidProperty", "accepted", "CreateFilter throws", f"{API}CreateFilter, faults"
    ),
    "a missing object that a filter is to report": Difference(
        ["ManagedObjectNotFound"],
        [],
        "reportMissingObjectsInResults is how the watcher hears that a task is gone",
        f"{API}PropertyFilterSpec",
    ),
    "a page's token of nobody": Difference(
        "InvalidArgument", "KeyError", "a fault; pyvmomi cannot even read the other", f"{VCSIM}: no typed fault"
    ),
    "a version that was never handed out": Difference(
        "InvalidCollectorVersion",
        None,
        "a client that lost its place must start anew",
        f"{API}WaitForUpdatesEx, faults",
    ),
    "CheckForUpdates": Difference("enter", "MethodNotFound", "the poll that never waits", f"{API}CheckForUpdates"),
    "a wait without a filter": Difference(
        None, "an empty update", "nothing happened, so nothing is told", f"{API}WaitForUpdatesEx"
    ),
    "what ModifyListView removes": Difference(
        ["HostSystem"], ["VirtualMachine", "HostSystem"], "it is gone", f"{API}ModifyListView; {VCSIM}"
    ),
    # Names and searches
    "an upper-case UUID is found": Difference(
        True, False, "people paste them so", "unverified on a vCenter; the product folds the case itself"
    ),
    "a folder name that comes escaped": Difference(
        "sl%2fash 100%25", "sl%252fash 100%2525", "escapes in a name given are read as such", f"{API}ManagedEntity.name"
    ),
    "a field for machines set on a folder": Difference(
        "InvalidArgument", None, "a field of another type must be refused", f"{API}SetField, faults"
    ),
    "a field for everything": Difference(
        None,
        "TypeError",
        "it is for no type in particular, but its values have one, which pyVmomi insists on",
        f"{API}CustomFieldDef; {VCSIM}: the type of the values is empty",
    ),
    # What only a vCenter with hosts has
    "host logs can be browsed": Difference(
        True, False, "the product's heart", f"{API}DiagnosticManager.browse; {VCSIM}: MethodNotFound"
    ),
    # Data doors
    "the status of a new file": Difference(
        201, 200, "RFC 9110 has 201 for what a PUT has made", f"RFC 9110, 9.3.4; {VCSIM}: always 200"
    ),
    "a file that was deleted": Difference(
        404, 200, "DELETE is a method of /folder", "Web Services SDK Programming Guide, Datastore Access (/folder)"
    ),
    "a new file in a directory that is not there": Difference(
        404, 200, "directories are made by FileManager.MakeDirectory", f"{VCSIM} makes them on the way"
    ),
    "files to a stranger": Difference(
        401, 200, "whoever forgets to log in must hear of it here, not in production", f"{VCSIM} asks nobody"
    ),
    "a ticket names the certificate": Difference(
        True, False, "a copying tool pins the host by it", f"{API}SessionManagerGenericServiceTicket.sslThumbprint"
    ),
    "a ticket that was used": Difference(
        401, 200, "tickets are good for one request", f"{API}AcquireGenericServiceTicket; {VCSIM} never looks at them"
    ),
    "a disk's key in an import": Difference(
        "/copy01/ParaVirtualSCSIController0:0",
        "/copy01/disk:0",
        "the OVF's file items are matched to URLs by it",
        f"{API}HttpNfcLeaseDeviceUrl.importKey",
    ),
    "an import that was aborted": Difference(
        ("error", False),
        ("ManagedObjectNotFound", True),
        "an aborted import leaves nothing behind",
        f"{API}HttpNfcLeaseAbort",
    ),
    "bytes that are no disk": Difference(
        (400, "error"), (200, "ready"), "half a disk must not become a machine", f"{VCSIM} stores whatever comes"
    ),
    "ExportVm": Difference(
        "lease", "MethodNotFound", "the product copies by leases in both directions", f"{API}ExportVm; {VCSIM}"
    ),
}
