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
