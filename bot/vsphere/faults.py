"""vCenter's faults in our words: the type's name, the text for people, and whether waiting may help.

Pure translation; nothing here talks to a vCenter.
"""

from __future__ import annotations

from pyVmomi import vim, vmodl

from bot.vsphere.port import FaultError

PASSING = (
    vim.fault.ConcurrentAccess,
    vim.fault.NotAuthenticated,
    vim.fault.ResourceInUse,
    vim.fault.TaskInProgress,
    vim.fault.Timedout,
    vmodl.fault.HostCommunication,
)
"""Faults of a moment: the same call may succeed later, with nothing mended by anybody."""


def translate(fault: vmodl.MethodFault) -> FaultError:
    """Make the error that leaves this room; the cause stays behind it for the log."""
    error = FaultError(text_of(fault), kind=kind_of(fault), transient=isinstance(fault, PASSING))
    error.__cause__ = fault
    return error


def kind_of(fault: vmodl.MethodFault) -> str:
    """Return the type's name as pyVmomi has it: `vim.fault.TaskInProgress`."""
    return type(fault).__name__


def text_of(fault: vmodl.MethodFault) -> str:
    """Return vCenter's localized text with the details it gave, or at least the fault's name; never nothing."""
    parts = [_own_text(fault) or f"vCenter answered {kind_of(fault).rpartition('.')[2]}"]
    parts += [detail.message for detail in fault.faultMessage or () if detail.message]
    if isinstance(fault, vim.fault.NoPermission):
        parts.append(f"the missing privilege is {fault.privilegeId}")
    return "; ".join(dict.fromkeys(part.strip().rstrip(".") for part in parts)) + "."


def _own_text(fault: vmodl.MethodFault) -> str:
    text: str = getattr(fault, "msg", None) or ""
    return "" if text.startswith("*types.") else text  # govmomi's simulator shows a Go type's name
