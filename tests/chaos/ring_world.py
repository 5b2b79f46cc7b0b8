"""The world of the long nights: five sites in a ring, each joined to the next by a link, and small VMs at each.

Every VM goes on to the next site, so that each link is used in one direction and VMs can travel as often as is wanted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bot.playground.vcenter.player import VCenterPlayer
from bot.playground.world import World, parse_world

SITES: Final = 5
SLOTS: Final = 2
LEASE: Final = 3.0
SUBMIT_TIMEOUT: Final = 1.0
SETTLE_MARGIN: Final = 2.0
"""Seconds beyond the submit time-out that a call may be under way; `weather.LATEST` stays below it."""

_SITE = """
[[sites]]
name = "site{n}"
vcenter = "east"
datacenter = "DC{n}"
cluster = "C{n}"
hosts = 2
datastores = [{{ name = "ds-c{n}-01", capacity = "40 TiB", free = "30 TiB" }}]
folders = ["Migrated"]
"""
_LINK = """
[[links]]
between = ["site{n}", "site{next}"]
rate = "{rate}"
rtt = "1 ms"
"""
_VM = """
[[vms]]
name = "vm{n:03}"
site = "site{site}"
disks = ["1 GiB thin {size} MiB"]
"""
_VCENTER = """
[vcenters.east]
url = "{vcenter.url}"
user = "{vcenter.user}"
password_env = "VC_PASSWORD"
ca_file = "{vcenter.ca_file}"
[capacity]
per_host = 100
per_datastore = 100
[worker]
lease_seconds = {lease:.0f}
submit_timeout_seconds = {submit:.0f}
"""
_CONFIGURED_SITE = """
[sites.site{n}]
vcenter = "east"
datacenter = "DC{n}"
cluster = "C{n}"
datastore = "ds-c{n}-01"
folder = "Migrated"
[[links]]
between = ["site{n}", "site{next}"]
slots = {slots}
"""


def world(*, vms: int, rate: str, seed: int) -> World:
    """So many VMs, spread over the ring; links of `rate`, on which the copy of a VM of 100 MiB takes its time."""
    sites = range(1, SITES + 1)
    text = [
        f"seed = {seed % 2**31}\n[play]\nhistory_lines = 5\nnoise_every = '30 s'\n",
        '[[vcenters]]\nname = "east"\n',
        *(_SITE.format(n=n) for n in sites),
        *(_LINK.format(n=n, next=next_site(n), rate=rate) for n in sites),
        *(_VM.format(n=n, site=n % SITES + 1, size=60 + n * 37 % 120) for n in range(vms)),
    ]
    return parse_world("".join(text))


def config(vcenter: VCenterPlayer, folder: Path, *, lease: float = LEASE, slots: int = SLOTS) -> Path:
    """Write the coldmigrate.toml for it."""
    path = folder / "coldmigrate.toml"
    text = _VCENTER.format(vcenter=vcenter, lease=lease, submit=SUBMIT_TIMEOUT) + "".join(
        _CONFIGURED_SITE.format(n=n, next=next_site(n), slots=slots) for n in range(1, SITES + 1)
    )
    path.write_text(text, encoding="utf-8")
    return path


def next_site(n: int) -> int:
    """The number of the site after this one."""
    return n % SITES + 1


def onward(site: str) -> str:
    """The name of the site after this one."""
    return f"site{next_site(int(site.removeprefix('site')))}"
