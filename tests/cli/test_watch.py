"""`coldmigrate watch` before a played vCenter: one look at all hosts, and the role, which stops when told."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest

from bot.playground.esxi.phrases import Phrase
from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world
from tests import warm
from tests.health.probes import until
from tests.ports import free_port
from tests.worlds import CONFIGURED_SITES, TWO_SITES

LOST = Phrase("vpxa", "warning", "Libs", "[NFC ERROR] NfcNetTcpWrite: bWritten: -1", "invented")
FAILED = Phrase("vpxa", "error", "Libs", "[NFC ERROR] NfcNet_Send: requested 264, sent only -1 bytes", "invented")
CONFIG = """
[vcenters.east]
url = "{url}"
user = "{user}"
password_env = "PASSWORD"
ca_file = "{ca_file}"
{sites}
"""


@pytest.fixture
async def vcenter(tmp_path):
    world = TWO_SITES + '[play]\nnoise_every = "1 h"\nhistory_lines = 5\n'
    async with await play_world(parse_world(world), tmp_path / "world") as playing:
        yield playing["east"]


@pytest.fixture
def start(tmp_path, vcenter, valkey_url):
    config = CONFIG.format(url=vcenter.url, user=vcenter.user, ca_file=vcenter.ca_file, sites=CONFIGURED_SITES)

    async def start(*arguments, more="", redis=False):
        (tmp_path / "coldmigrate.toml").write_text(config + more, encoding="utf-8")
        return await asyncio.create_subprocess_exec(
            *(*warm.bot(), "watch", *arguments),
            env={"PASSWORD": vcenter.password, **({"REDIS_URL": valkey_url} if redis else {})},
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    return start


@pytest.fixture
def once(start):
    async def once(*arguments, code, more=""):
        done = await start("--once", *arguments, more=more)
        out, err = await done.communicate()
        assert done.returncode == code, (out, err)
        return out.decode()

    return once


def fail(vcenter, host):
    estate = vcenter.estate
    estate.diary(estate.host(host)).write([LOST, FAILED], at=estate.universe.clock(), op_id="C65743A5-0000024D")


async def test_quiet_hosts_are_listed_and_nothing_is_found(vcenter, once):
    told = json.loads(await once("--format", "json", code=0))
    assert (told["schema"], told["diagnosis"]["schema"]) == ("coldmigrate.watch/1", "coldmigrate.diagnosis/1")
    assert [host["host"] for host in told["hosts"]] == sorted(f"east/{name}" for name in vcenter.hosts())
    assert {host["source"] for host in told["hosts"]} == {"api"}
    assert told["unreadable_vcenters"] == []


async def test_a_failure_on_any_host_is_found(vcenter, once):
    host = vcenter.hosts()[1]
    fail(vcenter, host)
    text = await once(code=1)
    (row,) = [line for line in text.splitlines() if line.startswith(f"east/{host} ")]
    assert row.split()[1] == "api"
    assert "NfcNet_Send: requested 264, sent only -1 bytes" in text


async def test_who_cannot_be_read_is_named_and_the_rest_is_told(vcenter, once):
    gone, host = vcenter.hosts()[:2]
    vcenter.set_host(gone, connected=False)
    fail(vcenter, host)
    told = json.loads(await once("--format", "json", "--since", "5m", code=2))
    assert [one["host"] for one in told["hosts"] if one["trouble"]] == [f"east/{gone}"]
    assert told["diagnosis"]["incidents"]


async def test_hosts_that_the_config_leaves_out_are_no_trouble(vcenter, once):
    told = json.loads(await once("--format", "json", code=0, more='[[sources]]\nkind = "none"\nsites = ["site1"]\n'))
    assert sorted(host["source"] for host in told["hosts"]) == ["api", "api", "none", "none"]


async def test_a_vcenter_that_is_away_is_named(vcenter, once):
    await vcenter.go_down()
    assert "vCenter east could not be asked:" in await once(code=2)


async def test_the_role_tells_how_it_is_and_stops_when_told(vcenter, start, tmp_path):
    port, host = free_port(), vcenter.hosts()[0]
    log = tmp_path / host / "vpxa.log"
    log.parent.mkdir()
    log.touch()
    files = '[[sources]]\nkind = "files"\nsites = ["site1", "site2"]\npath = "{host}/"\n'
    role = await start("--health-port", str(port), redis=True, more=files)
    await until(port, "/readyz", lambda told: told.status == 200)
    await until(port, "/metrics", lambda told: "coldmigrate_watch_shards 256.0" in told.body)
    labels = f'{{host="{host}",source="files",vcenter="east"}}'

    def read(told):
        with log.open("a", encoding="utf-8") as file:  # whatever was there before it looked is not read
            file.write("a line\n")
        return f"coldmigrate_watch_up{labels} 1.0" in told.body and f"coldmigrate_watch_gaps_total{labels}" in told.body

    await until(port, "/metrics", read)
    role.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        _, err = await role.communicate()
    assert role.returncode == 0, err
