"""What can be made to go wrong on purpose: the next answers of a Web API method. It decides nothing by itself."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer `ok: false` with this error and do nothing."""

    error: str


@dataclass(frozen=True, slots=True)
class Throttle:
    """Answer 429 with this many seconds in Retry-After and do nothing."""

    retry_after: int = 1


@dataclass(frozen=True, slots=True)
class BreakDown:
    """Answer with this HTTP status and no JSON, and do nothing."""

    status: int = 503


@dataclass(frozen=True, slots=True)
class LoseReply:
    """Do what was asked, then cut the connection before the answer: the caller cannot know."""


Fault = Refuse | Throttle | BreakDown | LoseReply


class Faults:
    """A queue of faults for every method; each call of the method takes one."""

    def __init__(self) -> None:
        self._planned: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def plan(self, method: str, fault: Fault, *, times: int = 1) -> None:
        self._planned[method].extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        queue = self._planned.get(method)
        return queue.popleft() if queue else None

    def clear(self) -> None:
        self._planned.clear()
