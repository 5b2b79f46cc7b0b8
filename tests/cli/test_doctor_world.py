"""`coldmigrate doctor` before a whole played world: Slack, a vCenter with two sites, Redis."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from bot.cli.init import MANIFEST
from bot.playground.slack.player import SlackPlayer
from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world
from tests import warm
from tests.end_to_end.plant import SITES, Target, written
from tests.worlds import TWO_SITES

VM = """
[[vms]]
name = "web01"
site = "site1"
disks = ["16 GiB thin 500 MiB"]
"""


@pytest.fixture
async def slack():
    player = SlackPlayer(manifest=MANIFEST)
    await player.start()
    yield player
    await player.stop()


@pytest.fixture
async def vcenter(tmp_path):
    async with await play_world(parse_world(TWO_SITES + VM), tmp_path / "world") as world:
        yield world["east"]


@pytest.fixture
def doctor(tmp_path, slack, vcenter, valkey_url):
    target = Target(
        vcenter.url, vcenter.ca_file, vcenter.user, vcenter.password, SITES.format(approval="requester"),
    )  # fmt: skip

    async def run(*arguments, target=target, secrets=("APP", "BOT", "PASSWORD"), more=""):
        path = written(tmp_path, slack, target)
        path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
        known = {"APP": slack.app_token, "BOT": slack.bot_token, "PASSWORD": target.password}
        done = await asyncio.create_subprocess_exec(
            *(*warm.bot(), "doctor", *arguments, "--format", "json"),
            env={"REDIS_URL": valkey_url, **{name: known[name] for name in secrets}},
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await done.communicate()
        assert err == b"", err
        for secret in known.values():
            assert secret.encode() not in out
        answer = json.loads(out)
        return done.returncode, {one["about"]: one for one in answer.get("checks") or ()} or answer

    return run


async def test_a_world_in_order_has_nothing_to_mend_but_a_lonely_redis(doctor):
    code, told = await doctor()
    bad = {about: one for about, one in told.items() if one["verdict"] != "ok"}
    assert set(bad) == {"redis.replicas"}
    assert code == 1
    assert {
        "slack.bot-token", "slack.app-token", "slack.scopes", "vcenter.east.certificate", "vcenter.east.login",
        "vcenter.east.clock", "site.site2.networks", "site.site1.logs", "site.site1.esxcli", "path.site1.site2",
        "path.site2.site1.ping", "vcenter.east.privileges", "site.site1.privileges", "link.site1~site2", "redis.time",
    } <= set(told)  # fmt: skip
    assert "vmk" in told["path.site1.site2"]["says"]


async def test_a_missing_secret_is_no_fault_of_who_does_not_hold_it(doctor):
    code, told = await doctor(secrets=())
    assert code == 1
    assert told["slack"]["verdict"] == told["vcenter.east"]["verdict"] == "ok"
    assert told["slack"]["says"].startswith("Not looked at here: ")
    assert told["vcenter.east"]["says"].startswith("Not looked at here: ")


async def test_a_role_must_have_its_own_secrets_and_is_not_asked_for_the_others(doctor):
    code, told = await doctor("--role", "bot", "--only", "slack,vcenter", secrets=("PASSWORD",))
    assert code == 2
    assert (told["slack"]["verdict"], told["vcenter"]["says"]) == (
        "error",
        "Not looked at here: this role has no password of a vCenter.",
    )
    code, told = await doctor("--role", "worker", "--only", "slack,vcenter", secrets=("APP", "BOT"))
    assert code == 2
    assert (told["vcenter.east"]["verdict"], told["slack"]["says"]) == (
        "error",
        "Not looked at here: this role has no Slack token.",
    )


async def test_one_part_and_one_site(doctor):
    _, told = await doctor("--only", "vcenter", "--site", "site2")
    assert {about.partition(".")[0] for about in told} == {"config", "vcenter", "site"}
    assert not [about for about in told if about.startswith("site.site1.")]
    code, told = await doctor("--site", "site7")
    assert (code, told["config"]["says"]) == (2, "There is no site 'site7'.")


async def test_a_vcenter_that_is_away_keeps_nothing_else_from_being_looked_at(doctor, vcenter, slack):
    away = Target(
        "https://127.0.0.1:1", vcenter.ca_file, vcenter.user, vcenter.password, SITES.format(approval="requester")
    )
    code, told = await doctor(target=away)
    assert code == 2
    assert told["vcenter.east.reachable"]["verdict"] == "error"
    assert told["slack.bot-token"]["verdict"] == told["redis.reachable"]["verdict"] == "ok"
    slack.switches.revoke_token()
    code, told = await doctor("--only", "slack,vcenter")
    assert "token_revoked" in told["slack.bot-token"]["says"]
    assert told["slack.app-token"]["verdict"] == told["vcenter.east.login"]["verdict"] == "ok"


async def test_what_is_wrong_in_slack(doctor, slack):
    slack.switches.deny("usergroups:read")
    closed = slack.switches.add_channel("nfc-alerts", with_bot=False)
    more = f'[alerts]\nchannel = "{closed}"\n[[rights]]\nwho = ["group:S0NOGROUP"]\nmay = ["see"]\n'
    _, told = await doctor("--only", "slack", more=more)
    assert told["slack.scopes"]["says"] == "The app lacks usergroups:read."
    assert "The bot is not in #nfc-alerts" in told["slack.alerts"]["says"]
    assert told["slack.group.S0NOGROUP"]["verdict"] == "error"


async def test_beliefs_are_listed_and_tried(doctor):
    code, told = await doctor("--verify")
    assert code == 0
    assert {item["area"] for item in told["items"]} == {"ESXi", "vCenter", "Slack"}
    assert all(item["seen"] == {} for item in told["items"])
    _, told = await doctor("--verify", "--try")
    seen = {item["id"]: item["seen"] for item in told["items"] if item["attempt"]}
    assert all("failed" not in (what := one["vcenter.east"]) and what for one in seen.values()), seen
    assert "RoundtripAvgMS" in seen["esxcli-round-trip-unit"]["vcenter.east"]
    assert "vpxa" in seen["log-keys"]["vcenter.east"]


async def test_what_cannot_be_tried_is_said(doctor, vcenter):
    sites = SITES.format(approval="requester")
    _, told = await doctor("--verify", "--try", secrets=())
    assert "Not looked at here" not in {item["id"] for item in told["items"]}
    assert "PASSWORD" in told["items"][0]["seen"]["vcenter.east"]
    wrong = replace(Target(vcenter.url, vcenter.ca_file, vcenter.user, "nonsense", sites))
    _, told = await doctor("--verify", "--try", target=wrong)
    assert "not tried: " in told["items"][0]["seen"]["vcenter.east"]
