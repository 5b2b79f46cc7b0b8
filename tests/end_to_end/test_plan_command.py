"""`coldmigrate plan` as a person or a script runs it: another process, a played vCenter, no Redis and no Slack."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator

import pytest

from bot import settings
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import World
from tests import warm
from tests.end_to_end.conftest import WORLD
from tests.end_to_end.plant import SITES

HOSTILE = "evil\u009b31m\u202egnp"  # steers a terminal with one character, and turns text around with another


@pytest.fixture
async def vcenter(tmp_path) -> AsyncIterator[VCenterPlayer]:
    world = tomllib.loads(WORLD)
    for folder in ("Web", "Old"):
        world["vms"].append({"name": HOSTILE, "site": "site1", "folder": folder, "disks": ["1 GiB thin 10 MiB"]})
    async with await play_world(World.model_validate(world), tmp_path / "world") as players:
        yield players["east"]


@pytest.fixture
def plan(tmp_path, vcenter):
    """Run it; exit code, standard output, standard error."""
    config = tmp_path / "coldmigrate.toml"
    config.write_text(
        f'[vcenters.east]\nurl = "{vcenter.url}"\nuser = "{vcenter.user}"\npassword_env = "PASSWORD"\n'
        f'ca_file = "{vcenter.ca_file}"\n{SITES.format(approval="requester")}',
        encoding="utf-8",
    )

    async def run(*arguments: str, password: str = vcenter.password) -> tuple[int | None, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(*warm.bot(), "plan", "--config", str(config), *arguments),
            env=settings.with_environment({"PASSWORD": password, "COLUMNS": "200"}),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    return run


async def test_a_plan_that_could_start(plan, vcenter):
    code, out, err = await plan("web01", "site2")
    assert (code, err) == (0, "")
    assert "dvpg-app to dvpg-app-dr" in out
    assert out.endswith(("It can start.\n", "Nothing speaks against it.\n"))
    assert vcenter.relocations == []


async def test_the_options_of_slack_are_looked_at_in_the_plan(plan):
    code, out, _ = await plan("web01", "site2", "--thin", "--disk", "1=ds-c2-01", "--when-clean", "--force")
    assert code == 0
    assert "options   warnings lifted beforehand (--force), once the link is clean, thin, Hard disk 1 to ds" in out
    assert "data path NFC via vmk0: " in out
    code, _, err = await plan("web01", "site2", "--disk", "1=a", "--disk", "Hard disk 1=b")
    assert (code, "--disk was given twice for 'Hard disk 1'" in err) == (2, True)


async def test_the_same_for_machines(plan):
    code, out, _ = await plan("db01", "site2", "--host", "esx-site2-02.example.net", "--format", "json")
    made = json.loads(out)
    assert code == 0
    assert (made["request"]["vm"]["name"], made["target"]["host"]) == ("db01", "esx-site2-02.example.net")
    assert made["link"] == "site1~site2"
    assert "block" not in [concern["severity"] for concern in made["concerns"]]


async def test_what_blocks_it_is_exit_code_1(plan):
    code, out, err = await plan("app01", "site2", "--network", "VM Network=Nowhere")
    assert (code, err) == (1, "")
    assert "block     app01 is powered on" in out
    assert out.endswith("It cannot start.\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nosuch", "site2"], "No VM is called 'nosuch'"),
        (["web01", "site9"], "There is no site 'site9'. Sites: site1, site2."),
        (["report01", "site2"], "For example: coldmigrate plan /DC1/vm/"),
        (["web01", "site2", "--network", "VM Network"], "--network takes FROM=TO, not 'VM Network'"),
        (["web01"], "Missing argument 'SITE'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_does_not_exist_is_exit_code_2(plan, arguments, says):
    code, out, err = await plan(*arguments)
    assert (code, out) == (2, "")
    assert says in err


async def test_a_vcenter_that_does_not_let_us_in(plan):
    code, out, err = await plan("web01", "site2", password="wrong-4711")
    assert (code, out) == (1, "")
    assert "does not accept the password" in err
    assert "wrong-4711" not in err
    assert "Traceback" not in err


async def test_a_hostile_name_steers_no_terminal(plan):
    path = f"/DC1/vm/Web/{HOSTILE}"
    for arguments in (["--format", "text"], ["--format", "json"]):
        told = await plan(path, "site2", *arguments)
        assert not {"\u009b", "\u202e"} & set(told[1] + told[2]), told
    code, _, err = await plan(HOSTILE, "site2")
    assert "means 2 VMs" in err
    assert code == 2
    assert not {"\u009b", "\u202e"} & set(err)
