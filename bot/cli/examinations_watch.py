"""What `coldmigrate doctor` looks at for the watch of hosts: files and ports here, one host of each source, the sinks.

Nothing is sent to a sink but a knock at its port, and of a host's log a minute is read.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bot.errors import OutsideError, UserError
from bot.finding import Finding, error, fine, warning

if TYPE_CHECKING:
    from bot.hostlog.roll import Roll, WatchedHost
    from bot.logs.port import LogSource
    from bot.settings import Settings

WITHIN: Final = 20.0
SOON: Final = timedelta(days=30)
NAMED: Final = 5
"""So many hosts are named in one sentence."""


async def examine(settings: Settings) -> list[Finding]:
    """Everything that a watcher on this machine would need."""
    found = [*_syslog(settings), *_keys(settings)]
    found += [finding async for finding in _hosts(settings)]
    found += await asyncio.gather(*(_sink(settings, number) for number in range(len(settings.sinks))))
    return found


def _syslog(settings: Settings) -> Iterator[Finding]:
    table = settings.syslog
    for kind, port, transport in (
        ("udp", table.udp, socket.SOCK_DGRAM),
        ("tcp", table.tcp, socket.SOCK_STREAM),
        ("tls", table.tls, socket.SOCK_STREAM),
    ):
        if port:
            yield _port(f"syslog.{kind}", table.address, port, transport)
    cert_file, key_file = settings.path(table.cert_file), settings.path(table.key_file)
    if table.tls and cert_file and key_file:
        yield _certificate("syslog.certificate", cert_file, key_file)


def _port(about: str, address: str, port: int, transport: socket.SocketKind) -> Finding:
    with socket.socket(socket.AF_INET, transport) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as refusal:
            if refusal.errno == errno.EADDRINUSE:
                return fine(about, f"Port {port} is taken here: by a watcher, if one runs.")
            return error(
                about,
                f"Port {port} cannot be opened: {os.strerror(refusal.errno or 0)}.",
                do="Below 1024 that takes root or CAP_NET_BIND_SERVICE; choose a port above, or another address.",
            )
    return fine(about, f"Port {port} can be opened here.")


def _certificate(about: str, cert_file: Path, key_file: Path) -> Finding:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert_file, key_file, password=lambda: "")
        ends = _end_of(cert_file)
    except (OSError, ssl.SSLError, ValueError) as refusal:
        why = refusal.strerror if isinstance(refusal, OSError) and refusal.strerror else "they are no pair in PEM form"
        return error(about, f"{cert_file} and {key_file} cannot be used: {why}.", do="See syslog.cert_file, key_file.")
    if ends < datetime.now(UTC):
        return error(about, f"The certificate ended on {ends:%Y-%m-%d}.", do="Renew it: hosts refuse it.")
    if ends < datetime.now(UTC) + SOON:
        return warning(about, f"The certificate ends on {ends:%Y-%m-%d}.", do="Renew it; no restart is needed.")
    return fine(about, f"The certificate is good until {ends:%Y-%m-%d}.")


def _end_of(cert_file: Path) -> datetime:
    from cryptography.x509 import load_pem_x509_certificate

    return load_pem_x509_certificate(cert_file.read_bytes()).not_valid_after_utc


def _keys(settings: Settings) -> Iterator[Finding]:
    for number, source in enumerate(settings.sources):
        key_file = settings.path(source.key_file)
        if key_file is None:
            continue
        about = f"sources[{number + 1}].key_file"
        try:
            mode = key_file.stat().st_mode
        except OSError as refusal:
            yield error(about, f"{key_file} cannot be read: {refusal.strerror}.", do="Give the private key's path.")
            continue
        if mode & 0o007:
            yield warning(about, f"{key_file} is readable for everybody.", do=f"chmod 600 {key_file}")
        else:
            yield fine(about, f"{key_file} is there.")


async def _hosts(settings: Settings) -> AsyncIterator[Finding]:
    """What is read how, who is read by nobody, and whether one host of each source can be read."""
    from bot.compose import roll_maker, vcenters_of
    from bot.compose_watch import sources_of

    async with vcenters_of(settings) as known:
        vcenters = {str(name): vcenter for name, vcenter in known.items()}
        entries = {}
        for name, vcenter in vcenters.items():
            try:
                entries[name] = await vcenter.roll()
            except (OutsideError, UserError) as refusal:
                yield warning("watch.hosts", f"The hosts of vCenter {name} are not known here: {refusal}", do="See it.")
        roll: Roll = roll_maker(settings)(entries)
        if roll.hosts:
            yield _readers(roll)
        if len(entries) == len(vcenters):  # else they may be hosts of the one that does not answer
            for finding in _unknown(settings, roll):
                yield finding
        for finding in await asyncio.gather(*_trials(settings, roll, sources_of(settings, vcenters))):
            yield finding


def _readers(roll: Roll) -> Finding:
    from bot.hostlog.assign import why_unread

    count = Counter(host.kind.value for host in roll.hosts.values())
    how = ", ".join(f"{number} by {kind}" for kind, number in sorted(count.items()) if kind != "none")
    unread = sorted(host.name for host in roll.hosts.values() if why_unread(host) and host.source is None)
    if not unread:
        return fine("watch.hosts", f"Hosts that are to be watched: {how or 'none'}.")
    named = ", ".join(unread[:NAMED]) + (f" and {len(unread) - NAMED} more" if len(unread) > NAMED else "")
    return warning(
        "watch.hosts",
        f"Nobody reads the logs of {named}; others: {how or 'none'}.",
        do="Open a port in [syslog], name them in [[sources]], or raise watch.api_hosts.",
    )


def _unknown(settings: Settings, roll: Roll) -> Iterator[Finding]:
    """What is misspelt in [[sources]] leaves a host to be read in another way, in silence."""
    from bot.hostlog.assign import unknown_hosts

    for number, names in unknown_hosts([source.hosts for source in settings.sources], roll).items():
        said = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        yield warning(f"sources[{number + 1}].hosts", f"No vCenter has {said}.", do="Write the names that vCenter has.")


def _trials(settings: Settings, roll: Roll, sources: Mapping[int | None, LogSource]) -> Iterator[asyncio.Task[Finding]]:
    """One host of each source that is gone to."""
    tried: set[int | None] = set()
    for host in sorted(roll.hosts.values(), key=lambda host: host.key):
        if host.source not in tried and host.kind.value not in {"syslog", "none"}:
            tried.add(host.source)
            yield asyncio.create_task(_tried(host, settings.watch.logs, sources[host.source]))


async def _tried(host: WatchedHost, logs: Sequence[str], source: LogSource) -> Finding:
    about = f"watch.{host.kind.value}" if host.source is None else f"sources[{host.source + 1}].{host.kind.value}"
    try:
        async with asyncio.timeout(WITHIN):
            async for batch in source.once(host.key, logs[0], since=timedelta(minutes=1)):
                if batch.gap:
                    return error(about, f"{logs[0]}.log of {host.name}: {batch.gap}", do="See docs/watching.md.")
                break
    except TimeoutError:
        return error(about, f"{host.name} did not answer in {WITHIN:.0f} seconds.", do="See the way to it.")
    except (OutsideError, UserError) as refusal:
        return error(about, f"{host.name}: {refusal}", do="See docs/watching.md.")
    return fine(about, f"{logs[0]}.log of {host.name} can be read.")


async def _sink(settings: Settings, number: int) -> Finding:
    from bot.incidents.sinks.pagerduty import EVENTS_URL

    sink, about = settings.sinks[number], f"sink.{settings.sink_names[number]}"
    url = urlsplit(sink.url or EVENTS_URL)
    try:
        settings.sink_secret(number, "secret" if sink.kind == "webhook" else "routing_key")
    except UserError as missing:
        return error(about, str(missing), do="Without it nobody is woken.")
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        async with asyncio.timeout(WITHIN):
            _, writer = await asyncio.open_connection(url.hostname, port)
        writer.close()
    except (OSError, TimeoutError):
        return error(about, f"{url.hostname}:{port} cannot be reached from here.", do="See the firewall, or a proxy.")
    return fine(about, f"{url.hostname}:{port} can be reached; nothing was sent.")
