"""What stands before a message of syslog, and how the line reads in the host's own log file. Pure; one line at a time.

Three shapes, any of them inside the header of a relay: RFC 5424; RFC 3164; and RFC 3164 with the time of RFC 3339,
which is what ESXi sends by default. ESXi's grammar is published in "ESXi Log Message Formats" (core.vmware.com) and in
the vSphere 8 manual, "ESXi Log File Formats". What a line means is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

LIMIT: Final = 16 * 1024
"""Bytes of one message that are looked at; ESXi sends no more (Syslog.global.remoteHost.maxMsgLen)."""

_ISO = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_WALL = rb"[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?"
_PRIORITY = rb"(?:<(?P<priority>\d{1,3})> ?)?"
_HEADER: Final = re.compile(
    _PRIORITY + rb"(?:1 (?P<stamp5>" + _ISO + rb"|-) (?P<host5>\S{1,255}) (?P<program5>\S{1,48}) (?P<pid5>\S{1,128})"
    rb" \S{1,32} (?=[\[-])"
    rb"|(?P<stamp>" + _ISO + rb"|" + _WALL + rb") (?:(?P<host>[^\s\[]{0,254}[^\s\[:]) )?"
    rb"(?:(?P<program>[A-Za-z][\w./-]{0,47})(?:\[(?P<pid>\d{1,10})\])?: ?|(?=<\d)))"
)
_ELEMENT_ID: Final = re.compile(rb'\[[^\s="\]]{1,32}')
_PARAMETER: Final = re.compile(rb' ([^\s="\]]{1,32})="((?:[^"\\]|\\.)*)"', re.DOTALL)
_MOST_ELEMENTS: Final = 32
_ORIGINATOR: Final = b"[Originator@"
_SAYS_ITS_TIME: Final = re.compile(rb"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_SAYS_WHO_IT_IS: Final = re.compile(  # vSphere 6 and 7; vSphere 5; the kernel up to 7
    rb"(?:trivia|verbose|debug|info|notice|warning|error|critical|alert|panic|fatal) [A-Za-z][\w.-]*\["
    rb"|\[[0-9A-F]{8,16} [a-z]+ '|cpu\d+:"
)
_ARROW: Final = b"-->"
_LETTERS: Final = ("Em", "Al", "Cr", "Er", "Wa", "No", "In", "Db")
_PROGRAMS: Final = {"vmkwarning": "vmkernel", "vmkalert": "vmkernel"}
"""Programs whose lines stand in another one's log, too."""


@dataclass(frozen=True, slots=True)
class Header:
    """`stamp`, `host` and `pid` are empty where the line lacks them. `start` is where the message begins."""

    stamp: bytes
    host: bytes
    program: bytes
    pid: bytes
    priority: int | None
    start: int
    structured: bool


def read_header(line: bytes) -> Header | None:
    """Return what a line says of itself; of a relay's line, what the line inside says. None: it is no syslog."""
    outer = _read(line, 0)
    if outer is None:
        return None
    start = outer.start
    if outer.structured and line.find(b" <", start) >= 0:
        start = _behind_elements(line, start)
    if line.startswith(b"<", start) and (inner := _read(line, start)) is not None and inner.program:
        return inner
    return outer if outer.program else None


def _read(line: bytes, start: int) -> Header | None:
    match = _HEADER.match(line, start, start + 1024)
    if match is None:
        return None
    priority = None if match["priority"] is None else int(match["priority"])
    if match["host5"] is not None:
        stamp, host, program, pid = (_known(match[name]) for name in ("stamp5", "host5", "program5", "pid5"))
        return Header(stamp, host, program, pid, priority, match.end(), structured=True)
    stamp, host, program, pid = (match[name] or b"" for name in ("stamp", "host", "program", "pid"))
    return Header(stamp, host, program, pid, priority, match.end(), structured=False)


def _behind_elements(line: bytes, place: int) -> int:
    """Where the message begins behind structured data, of which a relay writes its own."""
    if line.startswith(b"- ", place):
        return place + 2
    for _ in range(_MOST_ELEMENTS):
        if (element := _element(line, place)) is None:
            break
        place = element[1]
    return place + line.startswith(b" ", place)


def _known(word: bytes) -> bytes:
    return b"" if word == b"-" else word


def log_of(program: bytes) -> str:
    """The log that a program writes: `Vpxa` vpxa, `vmkwarning` vmkernel."""
    name = program.decode("ascii", "replace").rpartition("/")[2].casefold()
    return _PROGRAMS.get(name, name)


def own_text(line: bytes, header: Header | None) -> str:
    """The line as the host's own log file has it, as near as the wire tells.

    A line without a header is the rest of the message above. ESX 4 stamps without a year, and names itself there too.
    """
    line = line[: LIMIT + 1024].rstrip(b"\r\n")
    if header is None:
        return _text(line if line.startswith(_ARROW) else _ARROW + b" " + line)
    elements, message = _message(line, header)
    return _text(_in_file(header, elements, message))


def _in_file(header: Header, elements: bytes, message: bytes) -> bytes:
    if not elements and (message.startswith(_ARROW) or _SAYS_ITS_TIME.match(message)):
        return message
    process = header.program + (b"[" + header.pid + b"]" if header.pid else b"") + b":"
    if not header.stamp[:1].isdigit():
        return _joined(header.stamp, header.host, process, elements, message)
    if not elements and _SAYS_WHO_IT_IS.match(message):
        return header.stamp + b" " + message
    kernel = header.program.startswith(b"vmk")
    if header.priority is not None and (header.pid or kernel):
        severity = f"{_LETTERS[header.priority % 8]}({header.priority})".encode()
        return _joined(header.stamp, severity, process, elements, message)
    if header.program == b"vobd":
        return header.stamp + b": " + message
    return _joined(header.stamp, process, elements, message)


def _joined(*parts: bytes) -> bytes:
    return b" ".join(part for part in parts if part)


def _message(line: bytes, header: Header) -> tuple[bytes, bytes]:
    """What an agent says of itself as structured data, as the file has it, and the message behind it."""
    place, own = header.start, b""
    if not header.structured:
        if line.startswith(_ORIGINATOR, place) and (element := _element(line, place)) is not None:
            return element[0], line[element[1] :].lstrip(b" ")
        return b"", line[place:]
    if line.startswith(b"-", place):
        place += 1
    for _ in range(_MOST_ELEMENTS):
        element = _element(line, place)
        if element is None:
            break
        if line.startswith(_ORIGINATOR, place):
            own = element[0]
        place = element[1]
    message = line[place:].lstrip(b" ")
    if not own and message.startswith(_ORIGINATOR) and (element := _element(message, 0)) is not None:
        own, message = element[0], message[element[1] :].lstrip(b" ")  # behind a dash that says there is none
    return own, message.removeprefix(b"\xef\xbb\xbf")


def _element(line: bytes, place: int) -> tuple[bytes, int] | None:
    """One element of structured data without its quotes, and where it ends; None where there is none, or not quoted."""
    start = _ELEMENT_ID.match(line, place)
    if start is None:
        return None
    words, end = [start[0]], start.end()
    while (parameter := _PARAMETER.match(line, end)) is not None:
        words.append(parameter[1] + b"=" + re.sub(rb'\\(["\\\]])', rb"\1", parameter[2]))
        end = parameter.end()
    if not line.startswith(b"]", end):
        return None
    return b" ".join(words) + b"]", end + 1


def _text(line: bytes) -> str:
    return line[:LIMIT].decode("utf-8", "backslashreplace")


def age_of(header: Header, now: datetime) -> timedelta | None:
    """How long ago a line says it was written; None where its stamp lacks year or zone, or is yet to come."""
    try:
        written = datetime.fromisoformat(header.stamp.decode("ascii", "replace"))
    except ValueError:
        return None
    if written.tzinfo is None:
        return None
    return max(now.astimezone(UTC) - written, timedelta(0))
