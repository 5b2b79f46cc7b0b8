"""`coldmigrate doctor`, as a person or a script runs it: one line a check, and an exit code."""

from __future__ import annotations

import json
import subprocess

import pytest

from bot.store import embedded
from bot.store.client import connect
from tests import warm
from tests.worlds import CONFIGURED_SITES

CONFIG = f"""
[redis]
url = "{{url}}"
[vcenters.east]
url = "https://vc-east.example.net"
user = "svc"
password_env = "PASSWORD"
{CONFIGURED_SITES}
"""


@pytest.fixture
def server(tmp_path):
    """One of our own: its settings are changed."""
    with embedded.start(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
def doctor(tmp_path):
    def run(*arguments, config="", environ=()):
        if config:
            (tmp_path / "coldmigrate.toml").write_text(config, encoding="utf-8")
        return subprocess.run(
            [*warm.bot(), "doctor", *arguments],
            env=dict(environ),
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    return run


async def configure(server, **options):
    async with connect(server.url) as store:
        for name, value in options.items():
            await store.config_set(name.replace("_", "-"), value)


async def test_warnings_alone_end_with_1_and_every_check_has_one_line(doctor, server):
    told = doctor(config=CONFIG.format(url=server.url))
    assert (told.returncode, told.stderr) == (1, "")
    lines = told.stdout.splitlines()
    assert lines[0].split(maxsplit=2) == ["ok", "config", "The config has no mistakes."]
    assert all(line.split()[0] in ("ok", "warning", "error") for line in lines)
    (warned,) = (line for line in lines if not line.startswith("ok"))
    assert warned.startswith("warning  redis.replicas")
    assert "Keep a replica and Sentinel" in warned


async def test_an_error_ends_with_2_and_machines_can_read_it(doctor, server):
    await configure(server, maxmemory_policy="allkeys-lru")
    told = doctor("--format", "json", config=CONFIG.format(url=server.url))
    assert (told.returncode, told.stderr) == (2, "")
    answer = json.loads(told.stdout)
    assert answer["schema"] == "coldmigrate.doctor/1"
    (wrong,) = (check for check in answer["checks"] if check["verdict"] == "error")
    assert wrong == {
        "about": "redis.eviction",
        "verdict": "error",
        "says": "maxmemory-policy is allkeys-lru: when memory is short, "
        "Redis throws away jobs and what people approved.",
        "do": "Set maxmemory-policy noeviction.",
    }


async def test_what_the_config_asks_for_is_looked_at(doctor, server):
    told = doctor(config=CONFIG.format(url=server.url).replace("[vcenters", "confirm_replicas = 2\n[vcenters", 1))
    assert told.returncode == 2
    assert "error    redis.replicas" in told.stdout
    assert "0 replicas are in step and 2 must confirm" in told.stdout


def test_every_mistake_in_the_config_is_a_line(doctor):
    config = CONFIG.format(url="http://x").replace("svc", "")
    told = doctor(config=config.replace("[sites.site1]", '[sites."si\\u001bte"]'))
    lines = told.stdout.splitlines()
    assert told.returncode == 2
    assert "\x1b" not in told.stdout
    assert [line.split()[:2] for line in lines] == [["error", "config"]] * len(lines)
    assert "redis.url: expected redis://" in told.stdout


async def test_without_a_config_redis_is_looked_at_all_the_same(doctor, server):
    told = doctor(environ={"REDIS_URL": server.url})
    assert told.returncode == 2
    assert "There is no config at" in told.stdout
    assert "ok       redis.reachable" in told.stdout


def test_a_redis_that_is_away_is_said_and_its_password_is_not(doctor, unused_tcp_port):
    url = f"redis://:hunter2@127.0.0.1:{unused_tcp_port}"
    told = doctor(config=CONFIG.format(url="redis://nobody"), environ={"REDIS_URL": url})
    assert told.returncode == 2
    assert "error    redis.reachable" in told.stdout
    assert "does not answer" in told.stdout
    assert "hunter2" not in told.stdout + told.stderr


def test_a_config_that_names_no_redis_says_so(doctor):
    told = doctor(config=CONFIG.format(url="x").replace('url = "x"\n', ""))
    assert told.returncode == 2
    assert "No Redis is configured" in told.stdout
