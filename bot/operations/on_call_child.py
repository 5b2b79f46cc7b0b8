"""The child process that reads what strangers hand over: it limits itself, reads one file, and prints one report.

`python -I -m bot.operations.on_call_child WANTED FILE [RULES ...]`, in a folder of its own that holds nothing but the
file, and with an empty environment. It limits itself before it imports anything that reads.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final

OUT_OF_MEMORY: Final = 71
"""The exit code of a child that was told so by Python; one that a library tells of it dies in other ways."""


def main(arguments: list[str]) -> int:
    """Read the file; the report as JSON on standard output. Exit code 0, or `OUT_OF_MEMORY`."""
    wanted: dict[str, Any] = json.loads(arguments[0])
    restrict(**wanted["limits"])
    try:
        print(json.dumps(_report(Path(arguments[1]), [Path(rule) for rule in arguments[2:]], wanted)))  # noqa: T201
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


def restrict(*, memory: int, seconds: int, files: int, written: int) -> None:
    """Bound this process for ever: its memory, its time, its open files, and how long a file it can write.

    It leaves no core behind. What it may write is for archives within archives, which are laid down without a name.
    """
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
    ):
        resource.setrlimit(what, (most, most))


def _report(file: Path, rules: list[Path], wanted: dict[str, Any]) -> dict[str, Any]:
    # Only now: the modules that read bytes are loaded under the limits.
    from bot.diagnosis.engine import load_engine  # noqa: PLC0415
    from bot.diagnosis.inputs.member import STRICT  # noqa: PLC0415
    from bot.diagnosis.scope import Scope  # noqa: PLC0415

    since = datetime.fromisoformat(wanted["since"]) if wanted.get("since") else None
    engine = load_engine(extra_rules=rules)
    return engine.diagnose_paths([file], processes=1, limits=STRICT, scope=Scope(since=since)).to_json()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
