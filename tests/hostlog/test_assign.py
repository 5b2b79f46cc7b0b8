"""Every host gets its site and its way of being read, as the config says and not otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bot.hostlog.assign import TOO_MANY, UNWANTED, SiteHosts, SourceRule, make_roll, unknown_hosts, why_unread
from bot.hostlog.roll import SourceKind


@dataclass(frozen=True)
class Seat:
    name: str
    datacenter: str = "DC1"
    cluster: str = "C1"
    addresses: frozenset[str] = frozenset()


SITES = [
    SiteHosts("near", "east", "DC1", cluster="C1"),
    SiteHosts("single", "east", "DC1", host="esx-9.example.net"),
    SiteHosts("far", "east", "DC2", cluster="C2"),
    SiteHosts("other", "west", "DC1", cluster="C1"),
]


def roll_of(*seats, vcenter="east", sources=(), api_hosts=20, syslog=False):
    return make_roll({vcenter: seats}, sites=SITES, sources=sources, api_hosts=api_hosts, syslog=syslog)


@pytest.mark.parametrize(
    ("seat", "site"),
    [
        (Seat("esx-1.example.net"), "near"),
        (Seat("esx-9.example.net", cluster="C9"), "single"),
        (Seat("esx-9.example.net"), "single"),
        (Seat("esx-7.example.net", cluster="C7"), ""),
        (Seat("esx-5.example.net", "DC2", "C7"), "far"),
        (Seat("esx-6.example.net", "DC3"), ""),
    ],
)
def test_a_host_is_at_the_site_that_means_it(seat, site):
    assert roll_of(seat).hosts[f"east/{seat.name}"].site == site


def test_sites_of_another_vcenter_mean_other_hosts():
    assert roll_of(Seat("esx-1"), vcenter="west").hosts["west/esx-1"].site == "other"


@pytest.mark.parametrize("name", ["esx-1.example.net", "ESX-1", "esx-1.example.net."])
def test_who_is_named_goes_before_the_site_wherever_it_stands(name):
    sources = [SourceRule(SourceKind.SYSLOG, sites=["near"]), SourceRule(SourceKind.SSH, hosts=[name])]
    hosts = roll_of(Seat("esx-1.example.net"), Seat("esx-2.example.net"), sources=sources).hosts
    assert (hosts["east/esx-1.example.net"].kind, hosts["east/esx-1.example.net"].source) == (SourceKind.SSH, 1)
    assert (hosts["east/esx-2.example.net"].kind, hosts["east/esx-2.example.net"].source) == (SourceKind.SYSLOG, 0)


def test_names_that_nobody_has_are_found():
    roll = roll_of(Seat("esx-1.example.net"), Seat("esx-2"))
    assert unknown_hosts([["ESX-1", "esx-2."], ["esx-3", "esx-1.example.com"]], roll) == {
        1: ["esx-3", "esx-1.example.com"]
    }


def test_the_first_that_names_it_counts():
    sources = [SourceRule(kind, hosts=["esx-1"]) for kind in (SourceKind.HTTPS, SourceKind.SSH)]
    assert roll_of(Seat("esx-1"), sources=sources).hosts["east/esx-1"].kind is SourceKind.HTTPS


def test_an_address_as_a_name_has_no_short_form():
    sources = [SourceRule(SourceKind.SSH, hosts=["10"])]
    assert roll_of(Seat("10.0.0.1"), sources=sources).hosts["east/10.0.0.1"].kind is SourceKind.API


@pytest.mark.parametrize(
    ("options", "kind", "why"),
    [
        ({}, SourceKind.API, ""),
        ({"api_hosts": 1}, SourceKind.NONE, TOO_MANY),
        ({"api_hosts": 1, "syslog": True}, SourceKind.SYSLOG, ""),
        ({"sources": [SourceRule(SourceKind.NONE, sites=["near"])]}, SourceKind.NONE, UNWANTED),
    ],
)
def test_what_goes_without_saying(options, kind, why):
    hosts = roll_of(Seat("esx-1"), Seat("esx-2"), **options).hosts.values()
    assert {host.kind for host in hosts} == {kind}
    assert {why_unread(host) for host in hosts} == {why}


def test_lines_find_their_host_by_address():
    roll = roll_of(Seat("esx-1", addresses=frozenset({"10.0.0.1"})), Seat("esx-2", addresses=frozenset({"10.0.0.2"})))
    assert roll.at("10.0.0.2").name == "esx-2"
