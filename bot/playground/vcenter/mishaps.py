"""What goes wrong between a client and the vCenter: lost replies, lost requests, slow answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum


class Loss(StrEnum):
    """When a connection breaks, seen from the server."""

    NONE = "none"
    REQUEST = "request"
    """Before the call is carried out."""
    REPLY = "reply"
    """After the call was carried out."""


@dataclass
class _Ordered:
    method: str
    loss: Loss
    countdown: int


class Mishaps:
    """Orders for mishaps. An order to drop works once, on the n-th call of a method from now; a delay stays.

    A call that is held back has been let in and is carried out when its event is set, whatever happened meanwhile.
    """

    def __init__(self) -> None:
        self._ordered: list[_Ordered] = []
        self._delays: dict[str, float] = {}
        self._held_back: dict[str, asyncio.Event] = {}

    def drop(self, method: str, loss: Loss, *, nth: int = 1) -> None:
        """Break the connection of the n-th next call of a method."""
        self._ordered.append(_Ordered(method, loss, nth))

    def delay(self, method: str, seconds: float) -> None:
        """Hold back every reply to a method, the call itself is carried out at once; 0 ends it."""
        self._delays[method] = seconds
        if seconds <= 0:
            del self._delays[method]

    def hold_back(self, method: str) -> asyncio.Event:
        """Keep the next call of a method between its authentication and its effect, until the event is set."""
        return self._held_back.setdefault(method, asyncio.Event())

    async def pass_on(self, method: str) -> None:
        """Wait, if this call is one to be held back."""
        if (released := self._held_back.pop(method, None)) is not None:
            await released.wait()

    def next(self, method: str) -> Loss:
        """Count a call and say what becomes of its connection."""
        fate = Loss.NONE
        for order in [order for order in self._ordered if order.method == method]:
            order.countdown -= 1
            if order.countdown == 0:
                self._ordered.remove(order)
                fate = order.loss
        return fate

    async def hold(self, method: str) -> None:
        """Wait as long as replies to this method are held back."""
        seconds = self._delays.get(method)
        if seconds:
            await asyncio.sleep(seconds)
