"""The control's queue: its scripts no longer ask who holds a job, nor in which state it was left. Never used elsewhere.

The one place in the tests where something of ours is changed, because a checker is worth only what it can see.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from bot.jobs import ledger
from bot.store.scripts import Script

FENCED: Final = ("MOVE", "NOTE", "LATER", "GIVE_UP", "HAND_OVER")
_EVERYBODY: Final = "holds = function(id, job, fence) return job ~= nil end\n"
_FROM: Final = "job.state ~= from"
_NOTHING_IS_LOST: Final = "return {}"


def take_hold(_argument: str = "") -> None:
    """Let this process write whatever it likes from now on, and never hear that it has lost a job."""
    for name in FENCED:
        own = files("bot.jobs").joinpath(f"scripts/{name.lower()}.lua").read_text(encoding="utf-8")
        source: str = getattr(ledger, name).source
        if "holds(id" not in own or not source.endswith(own):
            raise AssertionError(f"the script {name} has no fence that could be taken off")
        open_to_all = _EVERYBODY + own.replace(_FROM, "false")
        setattr(ledger, name, Script(source.removesuffix(own) + open_to_all))
    ledger.RENEW = Script(_NOTHING_IS_LOST)  # type: ignore[misc]
