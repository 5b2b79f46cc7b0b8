"""What a restart of vCenter does: everything that lived in its memory is gone, its database is not.

Sessions with their views, filters and collectors are gone, and so are task objects that had ended; histories stay. That
work under way ends with a SystemError and leaves what it copied at the destination is invented: no source says what
becomes of a cold copy then.
"""

from __future__ import annotations

from bot.playground.vcenter import faults
from bot.playground.vcenter.outcomes import Ending, Leftovers
from bot.playground.vcenter.tasks import Task
from bot.playground.vcenter.universe import Estate

_WHY = "vCenter Server was restarted while the operation was in progress."
INTERRUPTED = Ending("vcenter-restarted", lambda _scene: faults.system_error(_WHY), leftovers=Leftovers.ORPHANED)
_PATIENCE = 5.0


async def forget_everything(estate: Estate) -> None:
    """Do to a vCenter what its restart does, while nobody can reach it."""
    for session in estate.sessions.all():
        estate.sessions.end(session)
    _interrupt(estate)
    changes = estate.inventory.changes
    while _alive(estate):
        await changes.wait(beyond=changes.revision, seconds=_PATIENCE)
    estate.tasks.forget_ended()


def _alive(estate: Estate) -> list[Task]:
    return [task for task in estate.tasks.recent() if not task.ended]


def _interrupt(estate: Estate) -> None:
    """End what runs; what waited for its turn, or runs without an end of its own, is over at once."""
    for under in list(estate.universe.underway):
        if under.hosts[0].home is estate.inventory:
            under.break_off(INTERRUPTED)
    for task in _alive(estate):
        if task.state == "running" and task.abort:
            continue  # a relocation: it ends as its copy notices
        if task.abort:
            task.abort()
        estate.tasks.finish(task, faults.system_error(_WHY))
        for record in estate.relocations:
            if record.task == task.id:
                record.outcome = "SystemError"
