"""All concerns, in the order in which a person reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bot.migration.choice import Choice
from bot.migration.concerns import (
    connection_state,
    datastore_state,
    disabled_method,
    folder,
    free_space,
    host_state,
    network_map,
    opening,
    power_state,
    running_task,
    same_place,
    snapshots,
    start_time,
    window_fit,
)
from bot.migration.plan import Concern

CHECKS: Final[tuple[Callable[[Choice], Iterator[Concern]], ...]] = (
    power_state.check,
    same_place.check,
    connection_state.check,
    running_task.check,
    disabled_method.check,
    host_state.check,
    datastore_state.check,
    free_space.check,
    network_map.check,
    folder.check,
    snapshots.check,
    start_time.check,
    opening.check,
    window_fit.check,
)
