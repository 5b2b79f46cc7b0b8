"""A world of small disks, and real httpx clients of a played vCenter's data doors."""

import ssl
from contextlib import asynccontextmanager

import httpx

MIB = 2**20
WORLD = """
seed = 7
[play]
nfc_patience = "100 ms"
connect_patience = "50 ms"
history_lines = 3
noise_every = "1 h"
[[vcenters]]
name = "east"
accounts = [
  { user = "svc@vsphere.local", password = "right" },
  { user = "reader@vsphere.local", password = "right", privileges = ["System.View", "Datastore.Browse"] },
  { user = "viewer@vsphere.local", password = "right", privileges = ["System.View", "System.Read"] },
]
[[sites]]
name = "site1"
vcenter = "east"
hosts = 2
datastores = [{ name = "ds-c1-01", capacity = "4 GiB", free = "2 GiB" }]
folders = ["Web"]
[[sites]]
name = "site2"
vcenter = "east"
hosts = 1
datastores = [
  { name = "ds c2-01", capacity = "4 GiB", free = "1 GiB" },
  { name = "tiny", capacity = "16 MiB", free = "3 MiB" },
]
folders = ["Migrated"]
[[links]]
between = ["site1", "site2"]
rate = "40 Gbit/s"
rtt = "0 ms"
[[vms]]
name = "web01"
site = "site1"
folder = "Web"
host = 1
disks = ["80 MiB thin 5 MiB", "2 MiB"]
change_tracking = true
[[vms]]
name = "on01"
site = "site1"
power = "on"
disks = ["4 MiB"]
[[vms]]
name = "chain01"
site = "site1"
disks = ["8 MiB thin 2 MiB"]
snapshots = 2
[[vms]]
name = "busy01"
site = "site1"
running_task = "CreateSnapshot_Task"
[[vms]]
name = "secret01"
site = "site1"
disks = ["4 MiB"]
encrypted = true
[[vms]]
name = "db01"
site = "site1"
disks = ["400 MiB thin 300 MiB"]
[[events]]
at = "63 % of db01"
link = ["site1", "site2"]
loss = "4 %"
"""
EAST, ESX1, ESX2 = "svc@vsphere.local", "esx-site1-01.example.net", "esx-site2-01.example.net"
ROOT = ("root", "bare-metal-of-a-play")
HERE = {"dcPath": "DC1", "dsName": "ds-c1-01"}
THERE = {"dcPath": "DC2", "dsName": "ds c2-01"}
TINY = {"dcPath": "DC2", "dsName": "tiny"}


@asynccontextmanager
async def browsing(player, url=None, *, auth=(EAST, "right"), **options):
    """Open a client of vCenter itself, or of the server at a URL."""
    context = ssl.create_default_context(cafile=player.ca_file)
    async with httpx.AsyncClient(
        base_url=url or player.url, verify=context, auth=auth, timeout=20, **options
    ) as client:
        yield client
