"""Logs that strangers hand over: read in a child that can harm nobody, and a sentence whatever they are."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.diagnosis.causes import Cause
from bot.diagnosis.engine import load_engine
from bot.errors import UserError
from bot.operations.on_call_upload import Cage, Upload, _report, read_upload, safe_name

SEED = b"""\
[2012-03-14 16:31:45.288 1C69CB90 warning 'Libs' opID=C65743A5-0000024D-5c] [NFC ERROR] NfcNetTcpWrite: bWritten: -1
[2012-03-14 16:31:45.288 1C69CB90 warning 'Libs' opID=C65743A5-0000024D-5c] [NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes
[2012-03-14 16:31:45.288 1C69CB90 warning 'Libs' opID=C65743A5-0000024D-5c] [NFC ERROR] NfcFile_SendMessage: data send failed:
"""  # noqa: E501 - lines of the seed


def bomb(megabytes: int = 200) -> bytes:
    """A zip that is a thousand times its size when it is unpacked."""
    inner = io.BytesIO()
    with (
        zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("var/log/vpxa.log", "w", force_zip64=True) as member,
    ):
        for _ in range(megabytes):
            member.write(bytes(1_000_000))
    return inner.getvalue()


async def test_the_child_says_what_the_engine_says_in_the_same_process(tmp_path):
    (tmp_path / "vpxa.log").write_bytes(SEED)
    here = load_engine().diagnose_paths([tmp_path / "vpxa.log"])
    there = await read_upload(Upload(SEED, "vpxa.log"))
    assert there.incidents[0].cause is Cause.PACKET_LOSS
    assert there.incidents[0].evidence[0].file == "vpxa.log"  # and not where we put it
    (ours,), (its,) = here.to_json()["incidents"], there.to_json()["incidents"]
    for incident in (ours, its):
        for line in incident["evidence"]:
            line["file"] = "vpxa.log"
    assert its == ours


async def test_a_compressed_log_and_one_without_a_name_are_read():
    packed = await read_upload(Upload(gzip.compress(SEED), "vpxa.0.gz"))
    assert packed.incidents[0].cause is Cause.PACKET_LOSS
    assert (await read_upload(Upload(SEED, ""))).incidents[0].evidence[0].file == "pasted.log"


async def test_since_is_heard():
    late = await read_upload(Upload(SEED, "vpxa.log", since=datetime(2026, 1, 1, tzinfo=UTC)))
    assert late.incidents == ()


async def test_a_zip_bomb_costs_little_and_is_told():
    report = await read_upload(Upload(bomb(), "bundle.zip"), cage=Cage(seconds=10))
    assert report.incidents == ()
    assert [*report.errors, *report.gaps], "a bomb that nobody mentions"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 5_000,
        bytes(range(256)) * 300,
        b"\x1f\x8b\x08\x00" + bytes(range(256)) * 20,
        b"PK\x03\x04" + bytes(range(256)) * 20,
        b"\xff" * 70_000 + b"\n",
    ],
    ids=["empty", "zeros", "binary", "broken-gzip", "broken-zip", "one-long-line"],
)
async def test_rubbish_gets_a_report_and_no_incident(data):
    report = await read_upload(Upload(data, "strange.log"))
    assert report.incidents == ()


@pytest.mark.parametrize(
    ("cage", "said"),
    [
        (Cage(seconds=1), "after 1 s of work"),
        (Cage(memory=24 << 20), "more than 24 MB of memory"),
        (Cage(within=timedelta(seconds=0.3)), "stopped after 0.3 s"),
    ],
    ids=["processor", "memory", "clock"],
)
async def test_a_child_that_takes_too_much_is_stopped_with_a_sentence(cage, said):
    """Lines that all matter are the dearest there are: so many of them take minutes."""
    lines = b"".join(SEED.splitlines(keepends=True)[1] for _ in range(400_000))
    with pytest.raises(UserError) as caught:
        await read_upload(Upload(gzip.compress(lines, 1), "vpxa.log.gz"), cage=cage)
    assert said in str(caught.value)
    assert "coldmigrate diagnose" in str(caught.value)  # what to do instead
    assert children() == []


def children() -> list[str]:
    """Readers that this process has started and that are still there."""
    listed = ["ps", "-o", "args=", "--ppid", str(os.getpid())]
    found = subprocess.run(listed, capture_output=True, text=True, check=False)
    return [line for line in found.stdout.splitlines() if "on_call_child" in line]


def test_what_a_child_may_take_is_bounded_for_good():
    probe = (
        "import json, resource; from bot.operations.on_call_child import restrict; "
        "restrict(memory=1 << 30, seconds=5, files=64, written=1000); "
        "names = ('CORE', 'NOFILE', 'AS', 'CPU', 'FSIZE'); "
        "print(json.dumps([resource.getrlimit(getattr(resource, f'RLIMIT_{name}')) for name in names]))"
    )
    said = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == [[0, 0], [64, 64], [1 << 30, 1 << 30], [5, 5], [1000, 1000]]


async def test_a_child_sees_no_secret_and_no_file_but_its_own(tmp_path, monkeypatch):
    """Asked of the very process: a pipe stands in for a rule file, so the child waits there and can be looked at."""
    monkeypatch.setenv("PASSWORD", "correct horse")
    gate = tmp_path / "rule.toml"
    os.mkfifo(gate)
    reading = asyncio.create_task(read_upload(Upload(SEED, "vpxa.log"), rules=[gate]))
    pid = await asyncio.to_thread(waiting_at, gate)
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    folder = Path(f"/proc/{pid}/cwd").resolve()
    assert sorted(pair.partition(b"=")[0] for pair in environment.split(b"\0") if pair) == [b"LC_ALL", b"TMPDIR"]
    assert [entry.name for entry in folder.iterdir()] == ["vpxa.log"]
    assert folder.stat().st_mode & 0o077 == 0
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(UserError):
        await reading
    assert not folder.exists()


def waiting_at(gate: Path) -> int:
    """Until a child of ours opens the pipe; its id. The other end is opened by this, so that it is not left hanging."""
    with gate.open("wb"):
        listed = ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())]
        found = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
        (line,) = (line for line in found.splitlines() if "on_call_child" in line)
        os.kill(pid := int(line.split()[0]), signal.SIGSTOP)
        return pid


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("vpxa.log", "vpxa.log"),
        ("../../etc/passwd", "passwd"),
        ("C:\\logs\\hostd.log", "hostd.log"),
        ("--rules.log", "rules.log"),
        (".hidden", "hidden"),
        ("", "pasted.log"),
        ("…/\u202egol.axpv", "gol.axpv"),
        ("a b\nc;rm -rf.log", "a_b_c_rm_-rf.log"),
    ],
)
def test_a_name_steers_nothing(name, safe):
    assert safe_name(name) == safe
    assert Path(safe_name(name)).name == safe_name(name)


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b"null", b'{"stats": {}, "incidents": 3}', b'{"incidents": []}'])
def test_a_childs_answer_is_a_strangers(said):
    with pytest.raises(UserError, match="could not be understood"):
        _report(said, "vpxa.log")
