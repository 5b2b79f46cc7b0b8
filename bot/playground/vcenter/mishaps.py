"""What goes wrong between a client and the vCenter: lost replies, lost requests, slow answers, silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

_LOOK_EVERY = 0.2


class Loss(StrEnum):
    """What becomes of a call, seen from the server."""

    NONE = "none"
    REQUEST = "request"
    """Before the call is carried out."""
    REPLY = "reply"
    """After the call was carried out."""
    SILENT_REQUEST = "silent request"
    """The request vanishes: nothing is carried out, nothing is answered, the connection stays open."""
    SILENT_REPLY = "silent reply"
    """The call is carried out and never answered; the connection stays open."""


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
        self._speaking = asyncio.Event()
        self._speaking.set()

    def drop(self, method: str, loss: Loss, *, nth: int = 1) -> None:
        """Let the n-th next call of a method get lost, in one of the ways it can."""
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

    def hush(self) -> None:
        """Accept every connection and every request from now on, and answer none."""
        self._speaking.clear()

    def speak(self) -> None:
        """Answer again; what was swallowed meanwhile is lost, its connections break."""
        self._speaking.set()

    async def swallow(self, gone: Callable[[], bool]) -> None:
        """Keep a connection open without an answer until its client gives up, or until the network speaks again."""
        self_speaks = self._speaking if not self._speaking.is_set() else asyncio.Event()
        while not gone() and not self_speaks.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await self_speaks.wait()

    def next(self, method: str) -> Loss:
        """Count a call and say what becomes of its connection."""
        fate = Loss.NONE if self._speaking.is_set() else Loss.SILENT_REQUEST
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
