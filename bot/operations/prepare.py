"""Prepare a VM for its move, as its options ask: shut the guest down, merge left-over deltas, empty its drives.

All of it happens between approval and intent, while the job holds its slots, and each step looks before it acts:
whoever takes the job over does what is left to do. Nothing here that the config does not allow ([allow]).
"""

from __future__ import annotations

from bot.migration.facts import VmFacts
from bot.operations.orders import Prepared, forbidden, give, say
from bot.operations.run import Run
from bot.operations.shut_down import shut_down

IMAGES = ("cdrom-iso", "floppy")


async def prepare(run: Run) -> Prepared:
    """Do what the options ask for. FaultError when vCenter refuses some of it."""
    if key := _not_allowed(run):
        return await forbidden(run, key)  # before anybody has an outage for it
    guest = await shut_down(run)
    if guest is Prepared.NO:
        return guest
    hardware = await _change_hardware(run)
    return guest if hardware is Prepared.NOTHING else hardware


def _not_allowed(run: Run) -> str:
    """The key of what was asked for and this worker's config does not allow, or empty."""
    request, allow = run.plan.request, run.tools.allow
    asked = {"consolidate": request.consolidate and not allow.consolidate}
    asked["drives"] = request.disconnect_drives and not allow.drives
    return next((key for key, missing in asked.items() if missing), "")


async def _change_hardware(run: Run) -> Prepared:
    request = run.plan.request
    if not (request.consolidate or request.disconnect_drives):
        return Prepared.NOTHING
    vm = await run.vcenter.read_vm(request.vm.uuid)
    did = Prepared.NOTHING
    if request.consolidate and vm.snapshots is not None and vm.snapshots.needs_consolidation:
        await say(run, "Merging deltas that no snapshot owns, as was asked for. This can take hours.")
        await give(run, run.vcenter.consolidate)
        did = Prepared.READY
    if request.disconnect_drives and _has_images(vm):
        await say(run, "Taking images out of its drives, as was asked for.")
        await give(run, run.vcenter.disconnect_drives)
        did = Prepared.READY
    if did is Prepared.READY:
        await say(run, "")
    return did


def _has_images(vm: VmFacts) -> bool:
    return any(device.kind in IMAGES and device.detail for device in vm.devices)
