"""Published failures that were collected and labelled before the engine saw any of them.

`held_out/` holds a log each, and an `expect.toml` with the cause that the source gives, the causes that it allows
besides, and on what that rests. Of some a recorded case was made since: those are told apart, as seen.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from bot.diagnosis.engine import Engine
from bot.diagnosis.verdict import Incident

HERE = Path(__file__).parent
RECORDED = HERE.parent / "cases"
NOTHING = "nothing"


@dataclass(frozen=True)
class HeldOut:
    name: str
    log: Path
    cause: str
    allowed: tuple[str, ...]
    source: str
    seen: bool

    def line(self, said: str) -> str:
        mark = "ok" if said == self.cause else "allowed" if said in self.allowed else "MISS"
        since = " (recorded since)" if self.seen else ""
        return f"{mark:8}{self.name}: wanted {self.cause}, said {said}{since}"


def held_out() -> list[HeldOut]:
    """Return all of them, in a settled order."""
    recorded = " ".join(path.read_text(encoding="utf-8") for path in RECORDED.glob("*/*/expect.toml"))
    return [_held_out(path, recorded) for path in sorted((HERE / "held_out").glob("*/expect.toml"))]


def _held_out(expectation: Path, recorded: str) -> HeldOut:
    said = tomllib.loads(expectation.read_text(encoding="utf-8"))
    (log,) = expectation.parent.glob("*.log")
    seen = re.search(re.escape(said["source"].split(" (")[0]) + r"\b", recorded) is not None
    return HeldOut(expectation.parent.name, log, said["cause"], tuple(said["alternatives"]), said["source"], seen)


def surest_of(engine: Engine, log: Path) -> Incident | None:
    return max(engine.diagnose_paths([log]).incidents, key=lambda incident: incident.confidence, default=None)
