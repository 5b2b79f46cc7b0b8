"""What is fuzzed, and what must hold whatever comes in. Run one with `python -m tests.fuzz.run`; see there.

A target takes bytes and raises only if a promise is broken. Coverage counts the Python of `bot.diagnosis`, and of the
syslog receiver.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=[
        "bot.diagnosis",
        *(f"bot.logs.syslog_{name}" for name in ("frames", "header", "hosts", "sorting", "vicinity")),
    ]
):
    from bot.diagnosis.engine import Engine, load_engine
    from bot.diagnosis.inputs.member import STRICT
    from bot.diagnosis.report.markdown import markdown_of
    from bot.diagnosis.report.text import lines_of
    from bot.diagnosis.rulefile import check_rule_files
    from bot.diagnosis.verdict import Report
    from tests.fuzz.syslog import Receiving

Target = Callable[[bytes], None]
_MOST_RENDERED = 20


def log_or_archive() -> Target:
    """Bytes as somebody may pipe them in: a log, a compressed one, an archive, or rubbish."""
    engine = load_engine()
    return lambda data: _diagnosed(engine, data)


def rule_file() -> Target:
    """A rule file of an operator's own: sound, or refused in words."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-rules-"))
    path = folder / "own.toml"

    def check(data: bytes) -> None:
        path.write_bytes(data)
        for mistake in check_rule_files([path]):
            assert str(mistake).startswith(str(path))

    return check


def syslog() -> Target:
    """Bytes of a stranger, on a connection and as datagrams, in pieces; and a host beside it that is heard as ever."""
    needles = load_engine().catalogue.needles
    return lambda data: Receiving(needles.finder()).check(data)


def planted() -> Target:
    """A defect on purpose: proves that a broken promise is found and told."""

    def check(data: bytes) -> None:
        assert b"NfcNet" not in data, "the planted defect was found"

    return check


TARGETS: Mapping[str, Callable[[], Target]] = {
    "log": log_or_archive,
    "rule": rule_file,
    "syslog": syslog,
    "planted": planted,
}


def _diagnosed(engine: Engine, data: bytes) -> None:
    report = engine.diagnose_paths(["-"], stdin=io.BytesIO(data), limits=STRICT, processes=1)
    plain = json.loads(json.dumps(report.to_json(), allow_nan=False).encode("utf-8", "strict"))
    assert plain["stats"]["files"] <= STRICT.members
    for incident in report.incidents:
        assert 0 <= incident.confidence <= 1
        assert incident.evidence
        assert incident.lines >= 1
        assert incident.explanation
    for text in _rendered(report):
        assert not set(text) & set("\x00\x07\x1b\x7f\x9b"), "a control character of a stranger reached the reader"
        text.encode("utf-8", "strict")


def _rendered(report: Report) -> Iterator[str]:
    if len(report.incidents) <= _MOST_RENDERED:
        yield "\n".join(str(line) for line in lines_of(report, width=100)).replace("\x1b[", "")
        yield markdown_of(report)


def main() -> None:
    name, *options = sys.argv[1:]
    target = TARGETS[name]()
    atheris.Setup([sys.argv[0], *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
