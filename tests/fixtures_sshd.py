"""A real sshd on the loopback, with keys of its own, for whoever runs the tests.

Each connection gets an sshd of its own, as from inetd: no port has to be guessed, and a session can be killed by its
process. OpenSSH for the wire; with busybox's applets first in PATH the shell is the one of an ESXi host.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import asyncssh
import pytest

from bot.ssh.port import Address
from bot.ssh.shell import SshShell

_BINARY = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/sbin:/usr/local/sbin")
_PRIVILEGES = Path("/run/sshd")  # root's sshd insists on it


class Sshd:
    """One host. Whatever is in `folder` are its logs."""

    def __init__(self, directory: Path, *, path: Path | str = "/usr/bin:/bin") -> None:
        assert _BINARY, "no sshd: run `.ci/setup test`, or install openssh-server"
        self.directory = directory
        self.folder = directory / "var log"
        self.folder.mkdir(parents=True)
        self.key_file = directory / "key"
        self.known_hosts = directory / "known_hosts"
        self.user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
        self._path = path
        self.served: list[subprocess.Popen[bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(self.key_file)
        (directory / "authorized_keys").write_bytes(key.export_public_key())
        self.renew_host_key(known=True)
        self._write_config()
        self._accept()

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.port)

    def shell(self, **more) -> SshShell:
        """A client with an account here."""
        given = {"user": self.user, "key_file": self.key_file, "known_hosts_file": self.known_hosts}
        return SshShell(**(given | more))

    def renew_host_key(self, *, known: bool = False) -> None:
        """Be installed again; `known` if the clients are told."""
        key = asyncssh.generate_private_key("ssh-ed25519")
        host_key = self.directory / "host_key"
        host_key.unlink(missing_ok=True)
        key.write_private_key(host_key)
        host_key.chmod(0o600)
        if known:
            public = key.export_public_key().decode().strip()
            self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}\n")

    def forget_user(self) -> None:
        (self.directory / "authorized_keys").write_text("")

    def kill_sessions(self) -> int:
        """SIGKILL what serves the connections there are; what they had started is left to itself, as in life."""
        living = [session for session in self.served if session.poll() is None]
        for session in living:
            session.kill()
            session.wait()
        return len(living)

    def sessions(self) -> int:
        """How many connections are served."""
        return sum(session.poll() is None for session in self.served)

    def go_down(self) -> None:
        """Refuse connections, and break those there are."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        self.kill_sessions()

    def come_up(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._accept()

    def _accept(self) -> None:
        self._thread = threading.Thread(target=self._serve, args=(self._listener,), daemon=True)
        self._thread.start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, (self.directory / "sshd.log").open("ab") as log:
                command = [_BINARY, "-i", "-e", "-f", str(self.directory / "sshd_config")]
                self.served.append(subprocess.Popen(command, stdin=connection, stdout=connection, stderr=log))

    def _write_config(self) -> None:
        if os.geteuid() == 0:
            _PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
        lines = [
            f'HostKey "{self.directory}/host_key"',
            f'AuthorizedKeysFile "{self.directory}/authorized_keys"',
            "PidFile none",
            "StrictModes no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            f"UsePAM {'yes' if _is_locked() else 'no'}",
            "PrintMotd no",
            "LogLevel ERROR",
            f'SetEnv "PATH={self._path}" "HOME={self.directory}"',  # the user's own shell set-up may take a second
        ]
        (self.directory / "sshd_config").write_text("\n".join(lines) + "\n")


def _is_locked() -> bool:
    """Without PAM sshd refuses an account whose password begins with an exclamation mark, whatever key is shown."""
    try:
        rows = Path("/etc/shadow").read_text().splitlines()
    except OSError:
        return False
    return any(row.startswith("root:!") for row in rows)


@pytest.fixture(scope="session")
def busybox_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with busybox's applets and nothing else."""
    busybox = shutil.which("busybox")
    assert busybox, "no busybox: run `.ci/setup test`, or install it"
    folder = tmp_path_factory.mktemp("busybox")
    for name in ("sh", "tail", "cat", "ls", "sleep", "kill"):
        (folder / name).symlink_to(busybox)
    return folder


@pytest.fixture
def make_sshd(tmp_path):
    """Start hosts; they go down at the end."""
    hosts: list[Sshd] = []

    def make(name="host", **more) -> Sshd:
        hosts.append(Sshd(tmp_path / name, **more))
        return hosts[-1]

    yield make
    for host in hosts:
        host.go_down()


@pytest.fixture
def sshd(make_sshd) -> Sshd:
    return make_sshd()


def processes_with(text: str) -> list[int]:
    """Whatever runs on this machine with that in its command line: what a host would have to carry."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if text.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found
