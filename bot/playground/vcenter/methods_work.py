"""Methods around work that runs, and what it needs to know first: cancelling tasks, refreshing datastores."""

from __future__ import annotations

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method
from bot.playground.vcenter.inventory import Datastore


@method("RefreshDatastore", on="Datastore", privilege="System.Read")
@method("RefreshDatastoreStorageInfo", on="Datastore", privilege="System.Read")
async def refresh_datastore_storage_info(call: Call) -> str:
    """Bring free space and usage up to date; this player's always are, so that only watchers hear of it."""
    store = call.estate.inventory.find(call.request.target)
    if isinstance(store, Datastore):
        call.estate.inventory.changes.touch(store.ref)
    return ""


@method("CancelTask", on="Task")
async def cancel_task(call: Call) -> str:
    """Cancel a task; those of others need Global.CancelTask. Refuses ended ones with InvalidState."""
    task = call.estate.tasks.find(call.request.target.id)
    if task is None:
        raise faults.not_found(call.request.target)
    if task.user != call.session.user and not call.session.may("Global.CancelTask"):
        raise faults.no_permission(task.ref, "Global.CancelTask")
    if task.ended:
        raise faults.task_ended()
    if task.abort is None:
        raise faults.not_supported("the task cannot be canceled")
    call.estate.tasks.cancel(task)
    return ""
