"""What CheckRelocate_Task says of a plan: advice, for it passes what fails later and has its own ways to fail.

The check is a task whose entity is not the VM, and on some vCenters is nothing that pyVmomi has a type for. So its
`info` is never read as a whole: the paths of `INFO` one by one, and nothing of them names the entity.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import chain, repeat
from typing import Any, Final

from pyVmomi import vim, vmodl

from bot.migration.plan import Plan
from bot.migration.survey import Advice
from bot.vsphere.errands import Asks
from bot.vsphere.far import Credentials, service_locator
from bot.vsphere.faults import kind_of, text_of, translate
from bot.vsphere.properties import moid, read_each
from bot.vsphere.relocate import make_spec
from bot.vsphere.session import Connected

INFO: Final = ("info.state", "info.result", "info.error")
WITHIN: Final = timedelta(seconds=60)
"""A check that asks hosts over a WAN gives up by itself at last (KB 393932); nobody waits for that with a plan."""
PAUSES: Final = tuple(timedelta(seconds=pause) for pause in (1, 2, 4, 8))
"""Between looks at the task, each of which is a round trip; the last one is repeated."""


async def check_relocate(ask: Asks, plan: Plan, *, credentials: Credentials) -> list[Advice]:
    """Have vCenter check the plan. FaultError: it cannot, or not soon enough, or its check itself has failed."""
    if not (plan.target.datastore_moid and plan.target.folder_moid and plan.target.pool_moid):
        raise translate(vmodl.fault.InvalidArgument(msg="The plan names no place yet, so there is nothing to check"))
    task = await ask(lambda reading: _begin(reading, plan, credentials))
    try:
        async with asyncio.timeout(WITHIN.total_seconds()):
            return await _result(ask, task)
    except TimeoutError:
        text = f"CheckRelocate_Task ({task}) has not answered within {WITHIN.total_seconds():.0f} s"
        raise translate(vim.fault.Timedout(msg=text)) from None


def _begin(reading: Connected, plan: Plan, credentials: Credentials) -> str:
    checker = reading.content.vmProvisioningChecker
    if checker is None:
        raise translate(vmodl.fault.NotSupported(msg="This vCenter has no provisioning checker"))
    spec = make_spec(reading, plan)
    spec.service = service_locator(plan, credentials)
    return moid(checker.CheckRelocate_Task(vim.VirtualMachine(plan.vm_moid), spec, None))


async def _result(ask: Asks, task: str) -> list[Advice]:
    pauses = chain(PAUSES, repeat(PAUSES[-1]))
    while (found := await ask(lambda reading: _advice(reading, task))) is None:  # noqa: ASYNC110 - it is vCenter that works
        await asyncio.sleep(next(pauses).total_seconds())
    return found


def _advice(reading: Connected, task: str) -> list[Advice] | None:
    """Return what the check found, or None while it runs."""
    rows = read_each(reading, [vim.Task(task)], {vim.Task: INFO})
    if not rows:
        raise translate(vmodl.fault.ManagedObjectNotFound(msg=f"vCenter no longer knows the check ({task})"))
    row = rows[0]
    match str(row["info.state"]):
        case "success":
            return list(dict.fromkeys(_of(row["info.result"] or ())))
        case "error":
            raise translate(row["info.error"] or vmodl.fault.SystemError(msg="The check failed without a reason"))
        case _:
            return None


def _of(results: Iterable[Any]) -> Iterator[Advice]:
    for result in results:
        yield from (Advice(is_error=True, kind=kind_of(fault), text=text_of(fault)) for fault in result.error or ())
        yield from (Advice(is_error=False, kind=kind_of(fault), text=text_of(fault)) for fault in result.warning or ())
