"""`coldmigrate link history`, as a person or a script runs it."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from bot.links.history import RedisLinkHistory
from bot.migration.measured import LinkSample, SampleKind
from bot.store.client import connect
from tests import warm

LINK = "site1~site2"


@pytest.fixture
def run(valkey_url, tmp_path):
    def call(*args, code=0):
        environment = {"REDIS_URL": valkey_url, "COLUMNS": "200"}
        done = subprocess.run(
            [*warm.bot(), "link", "history", *args],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == code, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        return done.stderr if code else done.stdout

    return call


@pytest.fixture
async def known(valkey_url):
    """Two looks of today, one of last week, and a copy."""
    now = datetime.now(UTC)
    samples = [
        LinkSample(now - timedelta(days=7), LINK, SampleKind.PROBE, "esx-11", "esx-21", sent=200, lost=200),
        LinkSample(now - timedelta(hours=3), LINK, SampleKind.COPY, "esx-11", "esx-21", rate=22.5e6),
        LinkSample(now - timedelta(hours=2), LINK, SampleKind.PROBE, "esx-\x1b[2J", "esx-21", sent=200, lost=12),
        LinkSample(now - timedelta(hours=1), LINK, SampleKind.PROBE, "esx-11", "esx-21", sent=200),
    ]
    async with connect(valkey_url) as store:
        for sample in samples:
            await RedisLinkHistory(store).note(sample)
    return samples


async def test_canaries_are_told_as_such(run, known, valkey_url):
    async with connect(valkey_url) as store:
        sample = LinkSample(datetime.now(UTC), LINK, SampleKind.CANARY, "esx-11", "esx-21", rate=1e8)
        await RedisLinkHistory(store).note(sample)
    text = run("site1", "site2")
    assert "Copies that went well: 1. Usual rate: 180 Mbit/s. Canaries that went well: 1." in text
    assert "canary: 800 Mbit/s" in text
    assert json.loads(run("site1", "site2", "--format", "json"))["samples"][-1]["kind"] == "canary"


def test_people_read_counts_with_their_interval(run, known):
    text = run("site2", "site1")
    assert "packets: 12 of 400 lost, 3 %, 95 % CI 1.7 to 5.2 %." in text
    assert "Copies that went well: 1. Usual rate: 180 Mbit/s." in text
    assert "12 of 200 lost, 6 %" in text
    assert "copy: 180 Mbit/s" in text
    assert "212 of 600 lost" in run("site1", "site2", "--since", "8d")


def test_machines_read_every_sample(run, known):
    record = json.loads(run("site1", "site2", "--format", "json"))
    assert (record["link"], record["sent"], record["lost"], record["usual_rate"]) == (LINK, 400, 12, 22.5e6)
    assert [one["kind"] for one in record["samples"]] == ["copy", "probe", "probe"]
    assert record["samples"][1]["source_host"] == known[2].source_host


def test_a_picture_is_drawn_where_it_was_asked_for(run, known, tmp_path):
    run("site1", "site2", "--chart", "link.png")
    assert (tmp_path / "link.png").read_bytes().startswith(b"\x89PNG")
    assert "cannot be written" in run("site1", "site2", "--chart", "nowhere/link.png", code=2)


def test_nothing_known_and_nothing_possible(run):
    text = run("site1", "site2")
    assert "packets: none sent." in text
    assert "Usual rate: not known yet." in text
    assert "before now" in run("site1", "site2", "--since", "2999-01-01", code=2)
    assert "two different ends" in run("site1", "site1", code=2)
