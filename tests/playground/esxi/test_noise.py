"""What healthy hosts and their visitors log, put before the product's own diagnosis."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from bot.cli.commands import cli
from bot.playground.esxi.diary import Diary
from bot.playground.esxi.host_log import HostLogs
from bot.playground.esxi.line_forms import Generation
from bot.playground.esxi.ordinary import NOISE, VCENTER_NOISE
from bot.playground.esxi.phrases import INVENTED
from bot.playground.esxi.visitors import BACKUP, FLAPS, KINDS, REPLICATION

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VERSIONS = ["4.1", "5.0", "5.5", "6.0", "6.7", "7.0.3", "8.0.3", "9.0"]


def diagnosed(folder):
    result = CliRunner().invoke(cli, ["diagnose", "--format", "json", str(folder)])
    return json.loads(result.stdout)


def dump(logs, folder):
    for name in logs.files():
        (folder / name).write_bytes(logs.file(name))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_healthy_host_has_no_incident(version, tmp_path):
    logs = HostLogs(version)
    diary = Diary("esx", logs, seed=3, noise=("ordinary", "replication", "flaps"))
    for step in range(400):
        diary.write_ordinary_work(AT + timedelta(seconds=20 * step))
    for key in logs.keys:
        logs.rotate(key, at=AT + timedelta(hours=3))
    dump(logs, tmp_path)
    report = diagnosed(tmp_path)
    assert report["errors"] == []
    assert report["incidents"] == []
    assert report["stats"]["lines"] > 500


@pytest.mark.parametrize("version", VERSIONS)
def test_backups_are_quiet_but_for_their_harmless_errors_which_are_never_ours(version, tmp_path):
    (tmp_path / "quiet").mkdir()
    (tmp_path / "loud").mkdir()
    tables = BACKUP[Generation.of(version)]
    for folder, loud in (("quiet", False), ("loud", True)):
        logs = HostLogs(version)
        diary = Diary("esx", logs, seed=3)
        for night in range(5):
            for noise in (noise for noise in tables if noise.complains is loud):
                diary.write_noise(noise, AT + timedelta(days=night))
        diary.write_ordinary_work(AT + timedelta(days=9))
        dump(logs, tmp_path / folder)
    assert diagnosed(tmp_path / "quiet")["incidents"] == []
    incidents = diagnosed(tmp_path / "loud")["incidents"]
    assert len(incidents) == 5
    assert {incident["cause"] for incident in incidents} == {"undetermined"}
    assert not any(op_id.startswith("cm-") for incident in incidents for op_id in incident["op_ids"])


def test_the_world_says_which_kinds_there_are():
    logs = HostLogs("8.0.3")
    diary = Diary("esx", logs, seed=3, noise=("replication",))
    for step in range(50):
        diary.write_ordinary_work(AT + timedelta(minutes=step))
    assert logs.lines("vpxa") == []
    assert all("Hbr: " in line for line in logs.lines("vmkernel"))
    assert len(logs.lines("vmkernel")) >= 50


def test_every_generation_has_every_kind_of_log_that_it_keeps():
    for generation, table in NOISE.items():
        kept = {"hostd", "vpxa"} if generation is Generation.A else {"hostd", "vpxa", "vmkernel"}
        assert kept <= {phrase.log for noise in table for phrase in noise.phrases}


def test_ordinary_work_is_published_and_what_nobody_published_says_so():
    ordinary = [phrase for table in NOISE.values() for noise in table for phrase in noise.phrases]
    visitors = [
        phrase
        for kind in (BACKUP, REPLICATION, FLAPS)
        for table in kind.values()
        for noise in table
        for phrase in noise.phrases
    ]
    vcenter = [phrase for table in VCENTER_NOISE.values() for noise in table for phrase in noise.phrases]
    assert all(phrase.source for phrase in (*ordinary, *visitors, *vcenter))
    assert not any(phrase.source == INVENTED for phrase in (*ordinary, *vcenter))
    assert {phrase.source for kind in REPLICATION.values() for noise in kind for phrase in noise.phrases} == {INVENTED}
    assert set(KINDS) == {"ordinary", "backup", "replication", "flaps"}
