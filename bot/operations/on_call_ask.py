"""Asking all vCenters about a failure, side by side: one that does not answer is told, and not waited for twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from bot.errors import OutsideError, UserError
from bot.migration.request import VCenterName
from bot.vsphere.port import Scene

Answer = TypeVar("Answer")


class AllAwayError(OutsideError):
    """No vCenter at all can be asked; the sentence says why of each."""


@dataclass(slots=True)
class Asking:
    """The vCenters that can be asked: those that told their clock. `notes` say what was not answered, and why."""

    scenes: Mapping[VCenterName, Scene]
    clocks: dict[VCenterName, datetime] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    async def begin(self) -> None:
        """Read every vCenter's clock. AllAwayError when there is none that can be asked."""
        told = await asyncio.gather(*(scene.look_at_clock() for scene in self.scenes.values()), return_exceptions=True)
        for vcenter, answer in zip(self.scenes, told, strict=True):
            match answer:
                case datetime():
                    self.clocks[vcenter] = answer
                case OutsideError() | UserError():
                    self.notes.append(str(answer))
                case BaseException():
                    raise answer
        if self.scenes and not self.clocks:
            raise AllAwayError(" ".join(self.notes))

    def now(self, vcenter: VCenterName) -> datetime:
        """What time it was there when this began; our own of one that cannot be asked."""
        return self.clocks.get(vcenter) or datetime.now(UTC)

    async def each(self, question: Callable[[Scene], Awaitable[Answer]]) -> dict[VCenterName, Answer]:
        """What each of them answers."""
        asked = [vcenter for vcenter in self.scenes if vcenter in self.clocks]
        told = await asyncio.gather(*(self.one(vcenter, question) for vcenter in asked))
        return {vcenter: answer for vcenter, answer in zip(asked, told, strict=True) if answer is not None}

    async def one(self, vcenter: VCenterName, question: Callable[[Scene], Awaitable[Answer]]) -> Answer | None:
        """What one of them answers; None, and a note, when it does not."""
        scene = self.scenes.get(vcenter)
        if scene is None or vcenter not in self.clocks:
            return None
        try:
            return await question(scene)
        except (OutsideError, UserError) as error:
            self.notes.append(f"vCenter {vcenter}: {error}")
            return None
