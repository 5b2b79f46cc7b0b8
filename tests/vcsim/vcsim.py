"""Start and stop the referee: govmomi's vCenter simulator, in a process of its own.

What lives here: the life of that process and what a test needs to log in. What may not: any view of what it answers.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import select
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

HERE = Path(__file__).parent
PLACES = (HERE / "vcsim", HERE.parents[1] / "build" / "vcsim")
PATIENCE = 60.0  # seconds; a cold start on a busy machine takes one


class VcsimError(Exception):
    """The referee is not there or did not start; the message says which and what to do."""


class Vcsim:
    """A vCenter with `datacenters` named DC0, DC1, …, on a free loopback port, over TLS with its own authority.

    Each datacenter has clusters (DC0_C0) of hosts (DC0_C0_H0), datastores LocalDS_0, LocalDS_1, … seen by all its
    hosts, networks "VM Network" and "DVPG0", and machines (DC0_C0_RP0_VM0) with one disk and one card on DVPG0.
    Usable with `with` and `async with`; url, user, password and cert hold once it runs. Ends with this process.
    """

    url: str
    user: str
    password: str
    cert: Path

    def __init__(
        self,
        *,
        datacenters: int = 2,
        clusters: int = 1,
        hosts: int = 2,
        datastores: int = 2,
        vms: int = 2,
        powered_off: bool = True,
        api_version: str = "8.0.3.0",
        port: int = 0,
    ) -> None:
        self._shape = {
            "dc": datacenters,
            "cluster": clusters,
            "host": hosts,
            "ds": datastores,
            "vm": vms,
            "api-version": api_version,
            "l": f"127.0.0.1:{port}",
            "powered-off": str(powered_off).lower(),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 443

    def trust(self) -> ssl.SSLContext:
        """Return a context that verifies names and accepts this referee's authority alone."""
        return ssl.create_default_context(cafile=str(self.cert))

    def start(self) -> Self:
        """Start the process and return when it listens."""
        binary = find_binary()
        self._folder = tempfile.TemporaryDirectory(prefix="vcsim-")
        folder = Path(self._folder.name)
        options = self._shape | {"password": secrets.token_urlsafe(12), "cert-out": str(folder / "authority.pem")}
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(binary), *(f"-{name}={value}" for name, value in options.items())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={"TMPDIR": str(folder), "TMP": str(folder)},
            )
        try:
            self._read_ready_line(folder / "log")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the process, by force if it will not; safe to call twice."""
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()  # a closed stdin is the request to end
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _read_ready_line(self, log: Path) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        line = self._process.stdout.readline() if readable else b""
        if not line:
            state = "ended before it listened" if readable else f"did not listen within {PATIENCE:.0f} s"
            raise VcsimError(f"vcsim {state}; it said: {log.read_text(errors='replace').strip() or 'nothing'}")
        ready = json.loads(line)
        self.url, self.user, self.password = ready["url"], ready["user"], ready["password"]
        self.cert = Path(ready["cert"])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


def find_binary(*, places: Iterable[Path] = PLACES) -> Path:
    """Return the built simulator, or say how to build it."""
    for place in places:
        if place.is_file():
            return place
    raise VcsimError("the vCenter simulator is not built: run `make setup` (it uses Go, or installs it)")
