"""What can be wrong between two vCenters: what their faults mean, whose own text leaves open who refused whom, and
what has changed since a move was approved. Pure.
"""

from __future__ import annotations

from typing import Final

from bot.migration.plan import Plan
from bot.operations.record import TaskEnd

OUTDATED: Final = {"vmodl.fault.ManagedObjectNotFound", "vmodl.fault.InvalidArgument"}
"""How a vCenter refuses a call that names what is not there (any more): a datastore, a host, a network card."""

OUT_OF_DATE: Final = (
    "The plan is out of date: something that it names was removed or changed after it was made. Plan the move again."
)


def changed_vcenter(approved: Plan, fresh: Plan) -> str:
    """What has changed, since the approval, about the other vCenter that a VM goes to; empty: it is the same."""
    was, now = approved.far, fresh.far
    if was is None or now is None:
        return ""
    if was.instance_uuid != now.instance_uuid or was.url != now.url:
        return f"Since it was approved vCenter {was.name} has become another one: it was {was.url}, it is {now.url}."
    if was.thumbprint == now.thumbprint:
        return ""
    return (
        f"Since it was approved vCenter {was.name} got another certificate: the thumbprint was {was.thumbprint}, it is"
        f" {now.thumbprint}. If it was renewed, plan the move again."
    )


def what_it_means(end: TaskEnd, plan: Plan) -> str:
    """A sentence, with what to do; empty where vCenter's text says enough, as of most moves within one vCenter.

    Source of who says what: github.com/vmware/pyvmomi/issues/1041 and github.com/lamw/vmware-scripts/issues/32.
    """
    if end.fault == "vmodl.fault.ManagedObjectNotFound":
        return OUT_OF_DATE
    here, far = plan.request.vm.vcenter, plan.far
    if far is None:
        return ""
    match end.fault:
        case "vim.fault.SSLVerifyFault":
            return (
                f"vCenter {here} did not find the certificate that was approved for {far.name} ({far.url}): its"
                f" thumbprint is {far.thumbprint}. If that certificate was renewed since, plan the move again; if not,"
                f" find out what answers {here} in its place."
            )
        case "vim.fault.InvalidLogin":
            return (
                f"vCenter {far.name} did not let {here} log in with our account there: check user and password in"
                f" [vcenters.{far.name}]; locked or expired accounts look the same."
            )
        case "vim.fault.HostConnectFault" | "vim.fault.NoHost":
            return f"vCenter {here} does not reach {far.name} at {far.url}; we do, so look between the two (TCP 443)."
        case _:
            return ""
