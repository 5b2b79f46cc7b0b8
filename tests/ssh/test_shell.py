"""Connections to a real sshd: who is spoken to, what a command says, and what operators read when nothing works."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest

from bot.errors import LoginError, OutsideError, UnreachableError
from bot.ssh.port import Address


async def output(line, command):
    """All that a command says, and how it ends."""
    said = b""
    async with line.run(command) as running:
        while data := await running.read(1000):
            said += data
        return said, await running.status()


async def refusal(shell, address):
    with pytest.raises(OutsideError) as caught:
        async with shell.connected(address):
            pass
    return caught.value


async def test_a_command_runs_and_its_words_and_status_come_back(sshd):
    async with sshd.shell().connected(sshd.address) as line:
        assert await output(line, "echo 'a  b'; echo lost >&2; exit 3") == (b"a  b\n", 3)
        assert await output(line, "printf '\\000\\377'") == (b"\x00\xff", 0)


async def test_output_is_streamed_while_the_command_runs(sshd):
    async with sshd.shell().connected(sshd.address) as line, line.run("echo first; read word; echo second") as running:
        assert await running.read(1000) == b"first\n"


async def test_more_output_than_fits_anywhere_waits_for_who_reads(sshd):
    async with sshd.shell().connected(sshd.address) as line, line.run("yes | head -c 8000000") as running:
        count, most = 0, 0
        while data := await running.read(65536):
            count, most = count + len(data), max(most, len(data))
        assert (count, most <= 65536) == (8_000_000, True)


async def test_one_connection_serves_all_and_ends_with_the_last(sshd):
    shell = sshd.shell()

    async def ask():
        async with shell.connected(sshd.address) as line:
            await output(line, "true")
            return sshd.sessions()

    assert set(await asyncio.gather(*(ask() for _ in range(5)))) == {1}
    async with asyncio.timeout(10):
        while sshd.sessions():  # it ends by itself a moment after our good-bye
            await asyncio.sleep(0.01)


async def test_nothing_of_the_users_own_set_up_counts(sshd, tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "config").write_text("Host *\n  User nobody-at-all\n  Port 1\n  ForwardAgent yes\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "no-agent"))
    async with sshd.shell().connected(sshd.address) as line:
        assert await output(line, 'echo "$SSH_AUTH_SOCK"') == (b"\n", 0)


async def test_a_host_that_shows_another_key_is_not_spoken_to(sshd):
    sshd.renew_host_key()
    error = await refusal(sshd.shell(), sshd.address)
    assert isinstance(error, LoginError)
    assert not error.transient
    assert "shows another host key than" in str(error)
    assert f"ssh-keyscan -p {sshd.port} 127.0.0.1 >> {sshd.known_hosts}" in str(error)


async def test_a_host_whose_key_nobody_knows_is_not_spoken_to(sshd):
    sshd.known_hosts.write_text("")
    error = await refusal(sshd.shell(), sshd.address)
    assert "shows a host key that is not in" in str(error)
    assert "ssh-keyscan" in str(error)


async def test_a_user_who_is_refused_reads_where_the_key_belongs(sshd):
    sshd.forget_user()
    error = await refusal(sshd.shell(), sshd.address)
    assert isinstance(error, LoginError)
    assert "authorized_keys" in str(error)
    assert "lockdown mode" in str(error)


async def test_a_port_that_is_closed_hints_at_ssh_being_off(sshd):
    sshd.go_down()
    error = await refusal(sshd.shell(), sshd.address)
    assert isinstance(error, UnreachableError)
    assert error.transient
    assert "TSM-SSH" in str(error)
    sshd.come_up()


async def test_a_host_that_says_nothing_is_given_up(sshd):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = Address("127.0.0.1", silent.getsockname()[1])
        error = await refusal(sshd.shell(connect_within=timedelta(seconds=0.2)), address)
    assert isinstance(error, UnreachableError)
    assert "did not answer in time" in str(error)


async def test_a_peer_that_speaks_something_else_is_said_so_without_its_words(sshd):
    async def speak(reader, writer):
        writer.write(b"<!channel> HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        error = await refusal(sshd.shell(), Address("127.0.0.1", server.sockets[0].getsockname()[1]))
    assert "ended the connection before the login" in str(error)
    assert "channel" not in str(error)


async def test_a_name_that_is_none_is_told(sshd):
    error = await refusal(sshd.shell(), Address(f"{'a' * 64}.invalid", 22))  # too long for anybody to be asked
    assert isinstance(error, UnreachableError)
    assert "cannot be resolved" in str(error)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"key_file": "missing"}, "missing cannot be read"),
        ({"known_hosts_file": "missing"}, "missing cannot be read"),
        ({"key_file": "nonsense"}, "is no private key"),
        ({"known_hosts_file": "nonsense"}, "nonsense is no known_hosts file"),
    ],
)
async def test_files_that_cannot_be_used_are_named(sshd, tmp_path, given, words):
    (tmp_path / "nonsense").write_bytes(b"\xff\xfe|1|")
    error = await refusal(sshd.shell(**{name: tmp_path / file for name, file in given.items()}), sshd.address)
    assert isinstance(error, LoginError)
    assert words in str(error)


async def test_a_connection_that_dies_ends_what_runs_on_it_and_the_next_is_a_new_one(sshd):
    shell = sshd.shell()
    async with shell.connected(sshd.address) as line, line.run("echo ready; read word") as running:
        assert await running.read(100) == b"ready\n"
        sshd.kill_sessions()
        with pytest.raises(UnreachableError, match="was lost"):
            await running.read(100)
        with pytest.raises(UnreachableError, match="was lost"):
            await running.status()
        with pytest.raises(UnreachableError, match="was lost"):
            await output(line, "true")
        async with shell.connected(sshd.address) as again:
            assert await output(again, "true") == (b"", 0)


async def test_hosts_that_say_nothing_keep_nobody_waiting(sshd):
    shell = sshd.shell(at_once=1, connect_within=timedelta(seconds=20))
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        place = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # what nobody accepts fills the queue; whoever comes next gets no answer at all
            filler.setblocking(False)
            filler.connect_ex(place)
        waiting = [asyncio.create_task(refusal(shell, Address("127.0.0.1", place[1]))) for _ in range(3)]
        async with asyncio.timeout(10), shell.connected(sshd.address) as line:
            assert await output(line, "true") == (b"", 0)
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for filler in fillers:
            filler.close()


async def test_who_waits_for_an_attempt_of_another_shares_its_refusal(sshd):
    sshd.forget_user()
    shell = sshd.shell()
    errors = await asyncio.gather(*(refusal(shell, sshd.address) for _ in range(4)))
    assert {str(error) for error in errors} == {str(errors[0])}
    assert len(sshd.served) == 1
