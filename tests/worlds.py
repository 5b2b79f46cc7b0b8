"""A world that many tests begin with: two sites of one vCenter, and a link so fast that a copy takes no time.

And how a coldmigrate.toml describes its sites.
"""

TWO_SITES = """
seed = 7
[[vcenters]]
name = "east"
[[sites]]
name = "site1"
vcenter = "east"
datacenter = "DC1"
cluster = "C1"
hosts = 2
version = "8.0.3"
datastores = [{ name = "ds-c1-01", capacity = "4 TiB", free = "2 TiB" }]
networks = ["VM Network"]
portgroups = ["dvpg-app"]
folders = ["Web", "Old"]
[[sites]]
name = "site2"
vcenter = "east"
datacenter = "DC2"
cluster = "C2"
hosts = 2
version = "8.0.3"
datastores = [{ name = "ds-c2-01", capacity = "4 TiB", free = "3 TiB" }]
networks = ["VM Network"]
portgroups = ["dvpg-app-dr"]
folders = ["Migrated"]
[[links]]
between = ["site1", "site2"]
rate = "8 Gbit/s"
rtt = "1 ms"
loss = "0 %"
mtu = 1500
"""

CONFIGURED_SITES = """
[sites.site1]
vcenter = "east"
datacenter = "DC1"
cluster = "C1"
datastore = "ds-c1-01"
[sites.site2]
vcenter = "east"
datacenter = "DC2"
cluster = "C2"
datastore = "ds-c2-01"
"""
"""Ends within the table of site2: what a test wants of it besides is simply added."""

TWO_VCENTERS = """
seed = 3
[play]
history_lines = 5
noise_every = "1 h"
[[vcenters]]
name = "east"
accounts = [{ user = "svc@east.local", password = "near right" }]
[[vcenters]]
name = "west"
accounts = [{ user = "svc@west.local", password = "far <right> & 'quoted'" }]
[[sites]]
name = "site1"
vcenter = "east"
datacenter = "DC1"
cluster = "C1"
hosts = 2
version = "8.0.3"
datastores = [{ name = "ds-c1-01", capacity = "4 TiB", free = "2 TiB" }]
networks = ["VM Network"]
portgroups = ["dvpg-app"]
[[sites]]
name = "site9"
vcenter = "west"
datacenter = "DC9"
cluster = "C9"
hosts = 2
version = "8.0.3"
datastores = [{ name = "ds-w-01", capacity = "4 TiB", free = "2 TiB" }]
networks = ["VM Network"]
portgroups = ["dvpg-west"]
folders = ["Migrated"]
[[links]]
between = ["site1", "site9"]
rate = "8 Gbit/s"
rtt = "1 ms"
loss = "0 %"
mtu = 1500
[[vms]]
name = "web01"
site = "site1"
disks = ["16 GiB thin 500 MiB"]
networks = ["VM Network", "dvpg-app"]
[[vms]]
name = "big01"
site = "site1"
disks = ["900 GiB thin 800 GiB"]
networks = ["VM Network"]
"""
"""Two vCenters, a site in each, and two VMs that may go from one to the other."""
