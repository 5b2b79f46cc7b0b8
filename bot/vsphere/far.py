"""Two vCenters that move a VM between them: who one is to the other, and what the source needs to log in there.

The password of the destination's account travels in the body of RelocateVM_Task. It lives as long as that one call,
says `[hidden]` wherever an object that holds it is shown, and may be nowhere else: not in a plan, a log, an error.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from pyVmomi import vim

from bot.errors import BugError, UserError
from bot.migration.plan import FarVCenter, Plan
from bot.migration.request import VCenterName
from bot.telemetry import hide
from bot.vsphere.port import FaultError
from bot.vsphere.session import Connected
from bot.vsphere.wire import Endpoint, Unshown, colons, connect

NO_PASSWORD: Final = "vim.fault.InvalidLogin"  # noqa: S105 - the name of a fault
NO_VCENTER: Final = "vmodl.fault.NotSupported"


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are at a vCenter."""

    user: str
    password: str = field(repr=False)


Credentials = Callable[[VCenterName], Account]
"""Our account at a vCenter of the config, read anew at each call. UserError or OSError when it cannot be read."""


def no_credentials(far: VCenterName) -> Account:
    """Know no other vCenter."""
    raise UserError(f"This vCenter was given no account at vCenter {far}.")


def read_identity(connected: Connected, endpoint: Endpoint) -> FarVCenter:
    """Say who this vCenter is to another one. The thumbprint is that of the certificate which we accept right now."""
    about = connected.content.about
    if not about.instanceUuid:
        text = f"{endpoint} shows no instance UUID, so no other vCenter can move a VM to it: it is no vCenter."
        raise FaultError(text, kind=NO_VCENTER)
    shown = thumbprint(endpoint)
    return FarVCenter(endpoint.name, _address(endpoint), about.instanceUuid, shown, about.version or "")


def thumbprint(endpoint: Endpoint) -> str:
    """Return the SHA-1 digest, as vSphere shows it, of the certificate on a new connection that passed our own check.

    LoginError for one that does not pass: what we do not trust is never pinned for others.
    """
    with closing(connect(endpoint)) as connection:
        certificate = connection.sock.getpeercert(binary_form=True) or b""
    return colons(hashlib.sha1(certificate).hexdigest())  # noqa: S324 - what a ServiceLocator takes


def service_locator(plan: Plan, credentials: Credentials) -> Any | None:
    """Make what RelocateVM_Task needs for another vCenter; None for a move within one.

    Pinned is what was approved: a certificate that has changed since is refused by the source vCenter. FaultError,
    transient, if our account there cannot be read at the moment: nothing was sent.
    """
    far = plan.far
    if far is None:
        if plan.target.vcenter not in {None, plan.request.vm.vcenter}:
            raise BugError(f"the plan for {plan.request.vm.name} leaves its vCenter and does not say for which")
        return None
    account = _account(far.name, credentials)
    hide(account.password)
    credential = vim.ServiceLocator.NamePassword(username=account.user, password=Unshown(account.password))
    return vim.ServiceLocator(
        instanceUuid=far.instance_uuid, url=far.url, credential=credential, sslThumbprint=far.thumbprint
    )


def _account(far: VCenterName, credentials: Credentials) -> Account:
    try:
        return credentials(far)
    except (UserError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        text = f"The password of our account at vCenter {far} cannot be read: {why}"
        raise FaultError(text, kind=NO_PASSWORD, transient=True) from error


def _address(endpoint: Endpoint) -> str:
    """Return `https://host` as the config has it, without path and query."""
    return urlunsplit((*urlsplit(endpoint.url)[:2], "", "", ""))
