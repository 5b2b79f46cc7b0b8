"""The way that the data of a cold copy takes between two hosts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.migration.facts import Vmk


class PathKind(StrEnum):
    """Who carries the data: UDT over vMotion's interface on TCP 8000, or NFC on TCP 902 (KB 340170)."""

    UDT = "udt"
    NFC_PROVISIONING = "nfc-provisioning"
    NFC_MANAGEMENT = "nfc-management"


@dataclass(frozen=True, slots=True)
class Leg:
    """One connection of a copy: from an interface of the source to one of the destination, at a TCP port there."""

    source: Vmk
    target: Vmk
    port: int


@dataclass(frozen=True, slots=True)
class DataPath:
    """What is predicted. `data` carries the bytes; `control` is NFC on 902, the same leg unless it is UDT.

    `why`: a sentence with the reason, and a source for it; `doubt`: what would make it untrue, or empty.
    """

    kind: PathKind
    data: Leg
    control: Leg
    why: str
    doubt: str = ""

    @property
    def words(self) -> str:
        """`UDT via vmk2`, `NFC via vmk1`: what people call it."""
        return f"{'UDT' if self.kind is PathKind.UDT else 'NFC'} via {self.data.source.device}"
