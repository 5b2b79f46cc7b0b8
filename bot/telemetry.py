"""Logging: one line of JSON an event for machines, plain text for a terminal, and no secret in either.

Every line says which job, VM and operation it is about, from the context of the task that wrote it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TextIO

_HIDDEN: Final = "[hidden]"
_SHORTEST_SECRET: Final = 4  # hiding every "a" would make the log unreadable and tell the secret's length

_secrets: set[str] = set()
_context: ContextVar[Mapping[str, str] | None] = ContextVar("telemetry", default=None)

_PATTERNS: Final = (
    (re.compile(r"\bx(?:ox[a-z]|app)-[A-Za-z0-9-]{4,}"), _HIDDEN),  # Slack's tokens
    (re.compile(r"(?<=://)[^/\s@]*:[^/\s]*(?=@)"), _HIDDEN),  # user:password in a URL
    (re.compile(r"(?i)\b(authorization['\"]?\s*[:=]\s*['\"]?(?:bearer|basic)\s+)[^\s'\"]+"), rf"\1{_HIDDEN}"),
    (re.compile(r"(?i)\b(vmware_soap_session['\"]?\s*[:=]\s*\\?['\"]*)[0-9a-f-]{8,}"), rf"\1{_HIDDEN}"),
    (re.compile(r"(?i)((?:password|passwd|secret|routing_key)['\"]?\s*[:=]\s*['\"]?)[^\s'\",}]+"), rf"\1{_HIDDEN}"),
)


class Form(StrEnum):
    """How lines are written."""

    JSON = "json"
    TEXT = "text"


def hide(secret: str) -> None:
    """Never let this value into a log. Call it with every secret that is read, before it is used."""
    if len(secret) >= _SHORTEST_SECRET:
        _secrets.add(secret)


def redact(text: str) -> str:
    """The text without registered secrets, and without what looks like a token or a password."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


@contextlib.contextmanager
def about(*, job: str = "", vm: str = "", op_id: str = "") -> Iterator[None]:
    """Within this block, and in tasks started in it, lines are about this job, VM or operation."""
    given = {"job": job, "vm": vm, "opid": op_id}
    token = _context.set({**(_context.get() or {}), **{name: value for name, value in given.items() if value}})
    try:
        yield
    finally:
        _context.reset(token)


def set_up(*, form: Form, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send everything that is logged to `stream` (standard error), and nowhere else."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if form is Form.JSON else _TextFormatter())
    handler.addFilter(_remember_context)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=True)


def _remember_context(record: logging.LogRecord) -> bool:
    record.about = _context.get() or {}
    return True


def _about(record: logging.LogRecord) -> Mapping[str, str]:
    found: Mapping[str, str] = getattr(record, "about", {})
    return found


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_about(record),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        # Before it becomes JSON: a secret with a quote in it looks different afterwards. ASCII steers no terminal.
        return json.dumps({name: redact(value) for name, value in fields.items()})


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        whom = "".join(f" {name}={value}" for name, value in _about(record).items())
        lines = [f"{time} {record.levelname.lower():7} {_one_line(redact(record.getMessage() + whom))}"]
        if record.exc_info:
            trace = redact(self.formatException(record.exc_info))
            lines += [f"  | {_one_line(line)}" for line in trace.split("\n")]
        return "\n".join(lines)


def _one_line(text: str) -> str:
    """Names come from outside: a line break in one could forge a line, a control character steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
