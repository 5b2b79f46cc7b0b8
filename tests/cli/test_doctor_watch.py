"""`coldmigrate doctor --only watch`: what a watcher would need is tried, and each fault is a line with what to do."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world
from tests import warm
from tests.ports import free_port
from tests.worlds import CONFIGURED_SITES, TWO_SITES

CONFIG = """
[vcenters.east]
url = "{url}"
user = "{user}"
password_env = "PASSWORD"
ca_file = "{ca_file}"
{sites}
"""


@pytest.fixture
async def doctor(tmp_path):
    async with await play_world(parse_world(TWO_SITES), tmp_path / "world") as world:
        east = world["east"]
        config = CONFIG.format(url=east.url, user=east.user, ca_file=east.ca_file, sites=CONFIGURED_SITES)

        async def run(more, **secrets):
            (tmp_path / "coldmigrate.toml").write_text(config + more, encoding="utf-8")
            done = await asyncio.create_subprocess_exec(
                *(*warm.bot(), "doctor", "--only", "watch", "--format", "json"),
                env={"PASSWORD": east.password, **secrets},
                cwd=tmp_path,
                stdout=asyncio.subprocess.PIPE,
            )
            out, _ = await done.communicate()
            return {one["about"]: one for one in json.loads(out)["checks"]}

        run.vcenter = east
        yield run


async def test_what_is_there_is_well(doctor, tmp_path):
    for host in doctor.vcenter.hosts():
        (tmp_path / host).mkdir()
        (tmp_path / host / "vpxa.log").write_text("a line\n", encoding="utf-8")
    files = '[[sources]]\nkind = "files"\nsites = ["site1"]\npath = "{host}/{log}.log"\n'
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        hook = f'[[sinks]]\nkind = "webhook"\nurl = "{url}"\nsecret_env = "HOOK"\n'
        found = await doctor(files + hook + f"[syslog]\nudp = {free_port()}\n", HOOK="whsec_bm90aGluZw==")
    assert set(found) == {"config", "syslog.udp", "watch.hosts", "sources[1].files", "sink.webhook"}
    assert {one["verdict"] for one in found.values()} == {"ok"}
    assert found["watch.hosts"]["says"] == "Hosts that are to be watched: 2 by files, 2 by syslog."


async def test_what_is_missing_is_told_with_what_to_do(doctor, tmp_path):
    (tmp_path / "key").touch(mode=0o644)
    ssh = '[[sources]]\nkind = "ssh"\nsites = ["site1"]\nuser = "u"\nkey_file = "key"\nknown_hosts_file = "none"\n'
    hook = f'[[sinks]]\nkind = "webhook"\nurl = "http://127.0.0.1:{free_port()}/"\nsecret_env = "HOOK"\n'
    pager = '[[sinks]]\nkind = "pagerduty"\nrouting_key_env = "PD"\n'
    ssh += '[[sources]]\nkind = "none"\nhosts = ["esx-site1-99"]\n'
    found = await doctor(ssh + hook + pager + "[watch]\napi_hosts = 1\n", HOOK="whsec_bm90aGluZw==")
    assert {about: one["verdict"] for about, one in found.items()} == {
        "config": "ok",
        "sources[1].key_file": "warning",
        "watch.hosts": "warning",
        "sources[1].ssh": "error",
        "sources[2].hosts": "warning",
        "sink.webhook": "error",
        "sink.pagerduty": "error",
    }
    assert "Nobody reads the logs of esx-site2-01.example.net, esx-site2-02.example.net" in found["watch.hosts"]["says"]
    assert all(one["do"] for one in found.values() if one["verdict"] != "ok")


async def test_hosts_are_read_through_vcenter_without_any_word_of_the_config(doctor):
    found = await doctor("")
    assert found["watch.api"]["verdict"] == "ok"
