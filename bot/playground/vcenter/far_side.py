"""The other vCenter of a cross-vCenter move: who it is, whether its certificate is the one expected, who logs in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from bot.playground.vcenter import faults
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.naming import steady_uuid
from bot.playground.vcenter.universe import Estate
from bot.playground.vcenter.wire import Data, Node
from bot.playground.world import Account


@dataclass(frozen=True)
class FarSide:
    """Another vCenter, and the account that this one uses there."""

    estate: Estate
    account: Account


def find_far_side(here: Estate, locator: Node) -> FarSide:
    """Follow a ServiceLocator. Refuses a stranger with HostConnectFault or InvalidArgument, a certificate that is not
    the expected one with SSLVerifyFault, and a wrong password with InvalidLogin, in this order.
    """
    url = (locator.value("url") or "").rstrip("/").removesuffix("/sdk")
    wanted = locator.value("instanceUuid") or ""
    found = next((estate for estate in here.universe.estates.values() if estate.presence.url == url), None)
    if found is None or not found.presence.reachable:
        raise faults.host_connect(url or "of an empty url")
    if found is here:
        raise faults.invalid_argument("spec.service", "it names this vCenter itself")
    _check_certificate(found, locator)
    if instance_uuid(found) != wanted.lower():
        raise faults.invalid_argument("spec.service.instanceUuid", wanted)
    return FarSide(found, _log_in(found, locator.one("credential")))


def instance_uuid(estate: Estate) -> str:
    """Return about.instanceUuid of a vCenter."""
    return steady_uuid("vcenter", estate.spec.name)


def _check_certificate(far: Estate, locator: Node) -> None:
    actual = far.presence.seen
    pem, given = locator.value("sslCertificate"), locator.value("sslThumbprint") or ""
    if pem is not None and not far.presence.impostor and _same_lines(pem, far.presence.certificate):
        return
    if pem is None and secrets.compare_digest(_digits(given), _digits(actual)):
        return
    raise Fault(
        Data("SSLVerifyFault", selfSigned=False, thumbprint=actual, certificate=None),
        "Authenticity of the host's SSL certificate is not verified.",
    )


def _digits(thumbprint: str) -> bytes:
    return thumbprint.replace(":", "").upper().encode()


def _same_lines(one: str, other: str) -> bool:
    return "".join(one.split()) == "".join(other.split())


def _log_in(far: Estate, credential: Node | None) -> Account:
    if credential is None or credential.type != "ServiceLocatorNamePassword":
        raise faults.invalid_argument("spec.service.credential", "only a name and a password are played")
    account = far.sessions.account(credential.value("username") or "")
    password = (credential.value("password") or "").encode()
    if account is None or not secrets.compare_digest(account.password.encode(), password):
        raise faults.invalid_login()
    return account
