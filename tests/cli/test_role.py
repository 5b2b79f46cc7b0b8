"""`coldmigrate role`: what it prints for a config, and that no name of the config becomes a part of a script."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from bot.cli.role_forms import escaped
from bot.vsphere.needs import NEEDS
from tests import warm

EVIL = "ds'; rm -rf $(pwd) `id` \\u2019 [x]*"
CONFIG = """
[redis]
url = "redis://nobody"
[vcenters.east]
url = "https://vc-east.example.net"
user = "svc@o'malley.local"
password_env = "PASSWORD"
[sites.site1]
vcenter = "east"
datacenter = "DC1"
host = "esx-01.example.net"
datastore = "ds-c1-01"
[sites.site2]
vcenter = "east"
datacenter = "DC2"
cluster = "C2"
datastore = "EVIL"
networks = { "VM Network" = "VM Network", "a" = "10% b/c" }
[allow]
shutdown = true
""".replace("EVIL", EVIL)
WEST = """
[vcenters.west]
url = "https://vc-west.example.net"
user = "svc@west.local"
password_env = "PASSWORD"
[sites.site9]
vcenter = "west"
datacenter = "DC9"
cluster = "C9"
datastore = "ds-w-01"
"""
GOVC = """#!/bin/sh
[ "$1" = role.ls ] && exit 1
printf '%s' "$1" >> "$LOG"; shift
for word; do printf '\\t%s' "$word" >> "$LOG"; done
printf '\\n' >> "$LOG"
case "$word" in /DC1/host) echo /DC1/host/C1/esx-01.example.net ;; /DC*) echo "$word/found" ;; esac
"""
"""Writes down how it was called, and finds one thing of each kind."""


@pytest.fixture
def role(tmp_path):
    def run(*arguments, config=CONFIG, code=0):
        (tmp_path / "coldmigrate.toml").write_text(config, encoding="utf-8")
        done = subprocess.run(
            [*warm.bot(), "role", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    return run


def privileges(told):
    (vcenter,) = json.loads(told)["vcenters"]
    return {name for names in vcenter["roles"].values() for name in names}


def test_nothing_that_the_config_does_not_allow_is_given(role):
    plain = privileges(role("--script", "json"))
    assert "VirtualMachine.Interact.PowerOff" in plain
    options = {need.privilege for need in NEEDS if need.allow and "shutdown" not in need.allow}
    assert not plain & (options | {"Cryptographer.Migrate", "VirtualMachine.Inventory.Register"})
    assert "Cryptographer.Migrate" in privileges(role("--script", "json", "--encrypted"))


def test_the_table_says_why_and_what_goes_without(role):
    told = role()
    assert "to read the hosts' logs if it fails" in told
    assert "optional: migrations run, and the diagnosis says that no log could be read" in told
    assert "datastore ds-c1-01 of datacenter DC1   " in told
    assert "to read the hosts' logs" not in role("--without", "Global.Diagnostics")
    assert "is no privilege of ours" in role("--without", "Global.Diagnostic", code=2)


def test_a_vcenter_that_vms_come_from_elsewhere_to_registers_them(role):
    each = {one["vcenter"]: one for one in json.loads(role("--script", "json", config=CONFIG + WEST))["vcenters"]}
    west = each["west"]["roles"]["coldmigrate-vms"]
    assert "VirtualMachine.Inventory.Register" in west
    assert "VirtualMachine.Inventory.Move" not in west


def test_a_script_is_for_one_vcenter(role):
    assert "name one of east, west" in role("--script", "govc", config=CONFIG + WEST, code=2)
    assert "svc@west.local" in role("west", "--script", "govc", config=CONFIG + WEST)
    assert "no vCenter 'north'" in role("north", code=2)


def test_the_shell_script_calls_govc_with_the_names_as_they_are(role, tmp_path):
    govc = tmp_path / "bin" / "govc"
    govc.parent.mkdir()
    govc.write_text(GOVC)
    govc.chmod(0o755)
    log = tmp_path / "log"
    path = f"{govc.parent}{os.pathsep}{os.defpath}"
    subprocess.run(["sh"], input=role("--script", "govc"), env={"PATH": path, "LOG": str(log)}, text=True, check=True)
    calls = [line.split("\t") for line in log.read_text(encoding="utf-8").splitlines()]
    stored = EVIL.encode().decode("unicode_escape")
    pattern = escaped(stored).replace("[", "\\[").replace("]", "\\]").replace("*", "\\*")
    assert ["find", "-type", "s", "-name", pattern, "/DC2/datastore"] in calls
    assert ["find", "-type", "n", "-name", "10%25 b%2fc", "/DC2/network"] in calls
    grants = {call[-1]: call[1:-1] for call in calls if call[0] == "permissions.set"}
    granted = ["-principal", "svc@o'malley.local", "-role"]
    assert grants["/"] == [*granted, "coldmigrate-root", "-propagate=true"]
    assert grants["/DC2/datastore/found"] == [*granted, "coldmigrate-datastores", "-propagate=false"]
    assert grants["/DC1/host/C1"] == [*granted, "coldmigrate-compute", "-propagate=true"]


def test_the_shell_script_stops_where_something_is_not_there(role, tmp_path):
    govc = tmp_path / "govc"
    govc.write_text("#!/bin/sh\n[ $1 != find ]\n")
    govc.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}"}
    done = subprocess.run(["sh"], input=role("--script", "govc"), env=environment, check=False, text=True)
    assert done.returncode != 0


def test_powershell_is_given_strings_in_which_nothing_is_expanded(role):
    told = role("--script", "powercli")
    assert "$principal = 'svc@o''malley.local'" in told
    assert "'ds''; rm -rf $(pwd) `id` \u2019\u2019 [x]*'" in told


def test_names_that_nobody_can_read_make_no_script(role):
    assert "no script is made of it" in role("--script", "govc", config=CONFIG.replace(EVIL, "a\\u001bb"), code=2)
