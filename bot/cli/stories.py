"""The stories that the demo can tell by itself, as a table: each with its world, and how its worker differs by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.cli.bad_night import BadNight
from bot.cli.stage import WORLD
from bot.cli.story import Story
from bot.cli.tale import Tale


@dataclass(frozen=True, slots=True)
class Programme:
    """What it takes to tell one. `moral`: what was shown, once all of it was true."""

    tale: type[Tale]
    world: Path
    moral: str
    worker: Sequence[str] = ()
    amended: Mapping[str, str] = field(default_factory=dict)


STORIES: Final = {
    "usual": Programme(
        Story,
        WORLD,
        "web01 is at site2, db01 is whole at site1, its thread says why, and whoever asked was told as well; "
        "of somebody else's copy that died a channel heard once, and PagerDuty, until carol took it.",
    ),
    "bad-night": Programme(
        BadNight,
        WORLD.with_name("bad-night.toml"),
        "files02 is whole and on at site1, three VMs wait untouched behind a link that held itself, the network team "
        "has its evidence, whoever takes over knows, and the channel of alerts was spared what is in the thread.",
        worker=("--still-after", "3"),
        amended={"slots = 2": "slots = 1"},
    ),
}
