"""The predicted path of a copy: all five scenarios of KB 340170, UDT, and what the KB leaves open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.migration.facts import HostFacts, Route
from bot.migration.path import PathKind, management_of, predict_path, reaches, serving
from tests.migration.conftest import SITE, SOURCE_HOST, provisioned, vmk

NFC_P, NFC_M, UDT = PathKind.NFC_PROVISIONING, PathKind.NFC_MANAGEMENT, PathKind.UDT
STACK = "vSphereProvisioning"
ROUTE = Route("defaultTcpipStack", "10.2.2.0", 24, "10.1.2.1")
ANYWHERE = "0.0.0.0"  # noqa: S104 - a route, nothing is bound
DEFAULT = Route("defaultTcpipStack", ANYWHERE, 0, "10.1.0.1")


def host(number: int, *interfaces: object, version: str = "7.0.3", routes: tuple[Route, ...] = ()) -> HostFacts:
    return replace(
        SITE.hosts[0], name=f"esx-01.site{number}", version=version, interfaces=tuple(interfaces), routes=routes
    )


def plain(site: int, *, network: int = 0, **more: object) -> tuple[object, ...]:
    """vmk0, vMotion, and provisioning on vmk2; without a way out for the latter unless a route is added."""
    provisioning = vmk("vmk2", f"10.{network or site}.2.{10 + site}", STACK, **more)
    return (vmk("vmk0", f"10.{site}.0.11", "management"), vmk("vmk1", f"10.{site}.1.11", "vmotion"), provisioning)


BACK = Route("defaultTcpipStack", "10.1.2.0", 24, "10.2.2.1")
CASES = {
    "1: nobody has provisioning": (host(1, *plain(1)[:2]), host(2, *plain(2)[:2]), NFC_M, "vmk0", "vmk0", False),
    "2: one subnet": (host(1, *plain(1)), host(2, *plain(2, network=1)), NFC_P, "vmk2", "vmk2", False),
    "3: static routes": (
        host(1, *plain(1), routes=(DEFAULT, ROUTE)),
        host(2, *plain(2), routes=(BACK,)),
        NFC_P,
        "vmk2",
        "vmk2",
        False,
    ),
    "3: a gateway of its own": (
        host(1, *plain(1, gateway="10.1.2.1")),
        host(2, *plain(2, gateway="10.2.2.1")),
        NFC_P,
        "vmk2",
        "vmk2",
        False,
    ),
    "3: a stack of its own, with a default route": (
        host(1, *plain(1, netstack=STACK), routes=(Route(STACK, ANYWHERE, 0, "10.1.2.1"),)),
        host(2, *plain(2, gateway="10.2.2.1")),
        NFC_P,
        "vmk2",
        "vmk2",
        False,
    ),
    "3: no way back": (host(1, *plain(1), routes=(ROUTE,)), host(2, *plain(2)), NFC_P, "vmk2", "vmk2", True),
    "4 or 5: no static route": (
        host(1, *plain(1), routes=(DEFAULT,)),
        host(2, *plain(2), routes=(BACK,)),
        NFC_M,
        "vmk0",
        "vmk2",
        True,
    ),
    "4: the most exact route leads elsewhere": (
        host(1, *plain(1), routes=(replace(ROUTE, prefix=16), replace(ROUTE, gateway="10.1.0.1"))),
        host(2, *plain(2)),
        NFC_M,
        "vmk0",
        "vmk2",
        True,
    ),
    "UDT: 8.0 on both ends": (
        host(1, *plain(1, gateway="10.1.2.1"), version="8.0.3"),
        host(2, *plain(2, gateway="10.2.2.1"), version="9.0.0"),
        UDT,
        "vmk1",
        "vmk1",
        False,
    ),
    "UDT: its control falls back": (
        host(1, *plain(1), version="8.0.3"),
        host(2, *plain(2), version="8.0.3"),
        UDT,
        "vmk1",
        "vmk1",
        True,
    ),
    "no UDT: 7.0 on one end": (
        host(1, *plain(1, gateway="10.1.2.1"), version="8.0.3"),
        host(2, *plain(2, gateway="10.2.2.1")),
        NFC_P,
        "vmk2",
        "vmk2",
        False,
    ),
    "no UDT: nobody serves vMotion": (
        host(1, *plain(1, gateway="10.1.2.1")[::2], version="8.0.3"),
        host(2, *plain(2, gateway="10.2.2.1")[::2], version="8.0.3"),
        NFC_P,
        "vmk2",
        "vmk2",
        False,
    ),
    "only the source has provisioning": (
        host(1, *plain(1, gateway="10.1.2.1")),
        host(2, *plain(2)[:2]),
        NFC_P,
        "vmk2",
        "vmk0",
        True,
    ),
    "only the source has it, and no route": (
        host(1, *plain(1), routes=(ROUTE,)),
        host(2, *plain(2)[:2]),
        NFC_M,
        "vmk0",
        "vmk0",
        True,
    ),
    "only the destination has it": (host(1, *plain(1)[:2]), host(2, *plain(2)), NFC_M, "vmk0", "vmk2", True),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_path(case):
    source, target, kind, leaves, arrives, doubted = case
    path = predict_path(source, target)
    assert path is not None
    assert (path.kind, path.data.source.device, path.data.target.device) == (kind, leaves, arrives)
    assert bool(path.doubt) is doubted
    assert path.data.port == (8000 if kind is UDT else 902)
    assert path.control.port == 902
    assert (path.control == path.data) is (kind is not UDT)
    assert path.words == f"{'UDT' if kind is UDT else 'NFC'} via {leaves}"


def test_udt_is_controlled_over_the_way_that_nfc_would_take():
    source, target, *_ = CASES["UDT: its control falls back"]
    path = predict_path(source, target)
    assert path is not None
    assert (path.control.source.device, path.control.target.device) == ("vmk0", "vmk2")
    assert "falls back to vmk0 (KB 340170, scenario 4)" in path.doubt
    assert "23 %" in path.doubt


@pytest.mark.parametrize(
    "interfaces", [(), (vmk("vmk1", "10.2.1.11", "vmotion"),), (vmk("vmk0", "", "management"),)], ids=len
)
def test_without_known_interfaces_nothing_is_predicted(interfaces):
    assert predict_path(SOURCE_HOST, host(2, *interfaces)) is None
    assert predict_path(host(2, *interfaces), SOURCE_HOST) is None


def test_management_is_vmk0_or_what_serves_it():
    elsewhere = vmk("vmk5", "10.2.5.11", "management")
    assert management_of(host(2, *plain(2))).device == "vmk0"
    assert management_of(host(2, elsewhere)).device == "vmk5"


def test_the_stack_of_that_name_serves_without_being_selected():
    assert serving(host(1, vmk("vmk3", "10.1.3.11", netstack="vmotion")), "vmotion").device == "vmk3"


@pytest.mark.parametrize("netmask", ["", "nonsense"])
def test_what_cannot_be_understood_reaches_nothing(netmask):
    ours, theirs = replace(provisioned(1)[2], netmask=netmask), provisioned(2)[2]
    assert not reaches(SOURCE_HOST, ours, theirs)
    assert not reaches(replace(SOURCE_HOST, routes=(replace(ROUTE, network="x"),)), provisioned(1)[0], theirs)
    assert not reaches(SOURCE_HOST, replace(ours, gateway="x"), replace(theirs, address="x"))
