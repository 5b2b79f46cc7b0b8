"""esxcli as a host carries it out: arguments in, typed rows out, faults as its command line words them.

Namespaces, methods and field names are those of ESXi 6.0 to 8.0 (govmomi's `simulator/esx/type_info.go`, PowerCLI
scripts); every value travels as text. The commands themselves are in `esxcli_network` and `esxcli_system`; how a reply
is wrapped into SOAP is vCenter's business.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from xml.sax.saxutils import escape

from bot.playground.esxi.machine import Interface, Machine

Row = Mapping[str, object]
"""Fields by name, in the order of the wire; a list of rows as a value is repeated."""

_HEAD = (
    '<obj xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns="urn:vim25" versionId="5.0"'
)


class CliError(Exception):
    """What the command line would print instead of a result."""


@dataclass(frozen=True)
class Reply:
    """What a command answers: rows of a type, or one text. `takes` is how long the host is busy with it."""

    rows: Sequence[Row] | str
    type: str = ""
    takes: timedelta = timedelta(0)


@dataclass(frozen=True)
class Way:
    """What lies between an interface and an address: nothing that answers, or a network with these properties."""

    answers: bool
    loss: float = 0.0
    rtt: timedelta = timedelta(0)
    mtu: int = 9000


@dataclass(frozen=True)
class Flow:
    """One connection from `local` to `foreign`, both address:port. `queued` is what it could not send yet."""

    local: str
    foreign: str
    queued: int
    world: str
    state: str = "ESTABLISHED"


@dataclass(frozen=True)
class Volume:
    name: str
    uuid: str
    capacity: int
    free: int


class Surroundings(Protocol):
    """What a host's commands show of the world around it."""

    @property
    def now(self) -> datetime:
        """The host's own clock."""

    @property
    def volumes(self) -> list[Volume]: ...

    def way(self, interface: Interface, address: str) -> Way: ...

    def look_up(self, name: str) -> str | None:
        """Return the address behind a name, as far as the host can find that out; an address is its own."""

    def flows(self) -> list[Flow]: ...

    def copied(self) -> int:
        """Bytes that copies have moved to and from the host so far."""

    @property
    def nfc_listens(self) -> bool:
        """Whether nfcd runs, without which nobody listens on 902 from 8.0 on."""


@dataclass(frozen=True)
class Order:
    """One command under way."""

    machine: Machine
    around: Surroundings
    given: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        values = self.given.get(name)
        return values[0] if values else None

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise CliError(f"Missing required parameter {name}")
        return value

    def number(self, name: str, default: int, *, least: int = 0, most: int = 65_535) -> int:
        """Return a number in its bounds. Refuses others as the command line does (wording: govmomi's simulator)."""
        value = self.text(name)
        if value is None:
            return default
        if not value.isdecimal() or not least <= int(value) <= most:
            raise CliError(f"Invalid data constraint for parameter '{name}'.")
        return int(value)

    def flag(self, name: str) -> bool:
        return self.text(name) in {"true", "1"}


Run = Callable[[Order], Reply]


@dataclass(frozen=True)
class Command:
    run: Run
    takes: frozenset[str]
    """The parameters that it knows."""


COMMANDS: dict[tuple[str, str], Command] = {}
"""By namespace and name: ("network.diag", "ping")."""


def command(namespace: str, name: str, *parameters: str) -> Callable[[Run], Run]:
    """Enter a command into the table."""

    def enter(run: Run) -> Run:
        COMMANDS[namespace, name] = Command(run, frozenset(parameters))
        return run

    return enter


def arguments(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Read SOAP arguments: each value is XML, an element per value. Refuses what is no XML with CliError."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        try:
            root = ET.fromstring(f"<v>{value}</v>")  # noqa: S314 - the peer is our own machine, expat refuses entity bombs
        except ET.ParseError as error:
            raise CliError(f"Invalid data constraint for parameter '{name}'.") from error
        given.setdefault(name, []).extend(child.text or "" for child in root)
    return given


def carry_out(order: Order, namespace: str, name: str) -> Reply:
    """Run a command. Refuses with KeyError a command that there is not, with CliError what it does not accept."""
    found = COMMANDS[namespace, name]
    for parameter in order.given:
        if parameter not in found.takes:
            raise CliError(f"Unknown parameter {parameter}")
    return found.run(order)


def reply_xml(reply: Reply) -> str:
    """Write a reply as the host does: rows as an ArrayOfDataObject, a text as a string."""
    if isinstance(reply.rows, str):
        return f'{_HEAD} xsi:type="xsd:string">{escape(reply.rows)}</obj>'
    rows = "".join(f'<DataObject xsi:type="{reply.type}">{_fields(row)}</DataObject>' for row in reply.rows)
    return f'{_HEAD} xsi:type="ArrayOfDataObject">{rows}</obj>'


def fault_xml(message: str) -> str:
    """Write the detail of a fault: what the command line would print is its errMsg (govmomi, simulator/esxcli.go)."""
    fault = f'<fault xsi:type="VimEsxCLICLIFault"><errMsg>{escape(message)}</errMsg></fault>'
    return f'{_HEAD} xsi:type="LocalizedMethodFault">{fault}<localizedMessage>{FAULT_SUMMARY}</localizedMessage></obj>'


FAULT_SUMMARY = "EsxCLI.CLIFault.summary"
"""What a fault of esxcli says in place of a message; PowerCLI users know it well."""


def _fields(row: Row) -> str:
    return "".join(_field(name, value) for name, value in row.items())


def _field(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return f"<{name}>{_fields(value)}</{name}>"
    if isinstance(value, list):
        return "".join(_field(name, entry) for entry in value)
    if isinstance(value, bool):
        return f"<{name}>{'true' if value else 'false'}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"
