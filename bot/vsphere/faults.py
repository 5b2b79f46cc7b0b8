"""vCenter's faults in our words: the type's name, the text for people, and whether waiting may help.

Pure translation; nothing here talks to a vCenter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyVmomi import vim, vmodl
from pyVmomi.VmomiSupport import GetVmodlType

from bot.telemetry import redact
from bot.vsphere.port import FaultError

PASSING: Final[Mapping[type[vmodl.MethodFault], str]] = {
    vim.fault.NotAuthenticated: "the session has ended; a new one asks again",
    vim.fault.TaskInProgress: "another task has the object, and ends; also vCenter's own word against a second start",
    vim.fault.VAppOperationInProgress: "another task has its vApp, and ends",
    vim.fault.ConcurrentAccess: "somebody else changed the object meanwhile; what is read anew may be changed",
    vim.fault.ResourceInUse: "somebody uses it, and ends",
    vim.fault.Timedout: "vCenter gave up waiting for something that was busy",
    vmodl.fault.HostCommunication: "a host does not answer vCenter, or is not connected, at this moment",
}
"""Faults of a moment, their subtypes included, and why: the same call may succeed later, with nothing mended.

Sources: the descriptions of these fault types in the vSphere Web Services API reference. Every other fault is definite:
a right, a licence, an argument, a state or a lock that somebody has to do something about, and `SystemError`, of which
nothing is known. A vCenter that restarts gives no fault at all but 503: a lost reply (`bot.vsphere.wire`).
"""


def translate(fault: vmodl.MethodFault) -> FaultError:
    """Make the error that leaves this room; the cause stays behind it for the log."""
    error = FaultError(text_of(fault), kind=kind_of(fault), transient=isinstance(fault, tuple(PASSING)))
    error.__cause__ = fault
    return error


def told(kind: str, message: str) -> FaultError:
    """Make the same error of a fault that is known by its type's name and text alone."""
    try:
        type_: type = GetVmodlType(kind)  # type: ignore[no-untyped-call]
    except KeyError:
        return FaultError(message, kind=kind)
    return FaultError(message, kind=kind, transient=issubclass(type_, tuple(PASSING)))


def kind_of(fault: vmodl.MethodFault) -> str:
    """Return the type's name as pyVmomi has it: `vim.fault.TaskInProgress`."""
    return type(fault).__name__


def text_of(fault: vmodl.MethodFault) -> str:
    """Return vCenter's localized text with the details it gave, or at least the fault's name; never nothing.

    It is shown to people, so a secret that vCenter repeats in it, of what it was sent, is taken out.
    """
    parts = [_own_text(fault) or f"vCenter answered {kind_of(fault).rpartition('.')[2]}"]
    parts += [detail.message for detail in fault.faultMessage or () if detail.message]
    if isinstance(fault, vim.fault.NoPermission):
        parts.append(f"the missing privilege is {fault.privilegeId}")
    if isinstance(fault, vim.fault.SSLVerifyFault) and fault.thumbprint:
        parts.append(f"it names a certificate with the thumbprint {fault.thumbprint}")
    return redact("; ".join(dict.fromkeys(part.strip().rstrip(".") for part in parts)) + ".")


def _own_text(fault: vmodl.MethodFault) -> str:
    text: str = getattr(fault, "msg", None) or ""
    return "" if text.startswith("*types.") else text  # govmomi's simulator shows a Go type's name
