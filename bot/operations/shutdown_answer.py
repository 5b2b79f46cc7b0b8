"""What a person may answer when a guest does not shut down in time: the words that the job keeps. Pure."""

from __future__ import annotations

from enum import StrEnum


class ShutdownAnswer(StrEnum):
    """WAIT_ON: give it as much time once more. POWER_OFF: do not ask the guest any longer."""

    WAIT_ON = "wait-on"
    POWER_OFF = "power-off"
