"""How often a vCenter may be asked for host logs, by the whole fleet together. The script keeps the account.

Every call counts. Those for a job or a diagnosis are never held up; what they leave is shared out among the logs that
only the watch wants, one look each in turn: the more logs, the longer from one look to the next.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.store.client import Store
from bot.store.scripts import load


class CallBudget:
    """The account of one vCenter, as this process asks for it. UnreachableError when Redis does not answer."""

    def __init__(self, store: Store, vcenter: str, *, calls_per_second: float) -> None:
        self._store = store
        self._vcenter = vcenter
        self._rate = calls_per_second

    async def hurry(self) -> None:
        """A call is made now, whatever is left."""
        await self._ask("hurry", 0)

    async def more(self) -> timedelta:
        """Another call of a look that has begun: zero, and it counts, or after how long to ask again."""
        wait, _ = await self._ask("more", 0)
        return wait

    async def turn(self, ticket: int) -> tuple[timedelta, int]:
        """A look for the watch: zero, and it counts, or after how long to ask again, with the ticket (0: none yet)."""
        return await self._ask("turn", ticket)

    async def _ask(self, mode: str, ticket: int) -> tuple[timedelta, int]:
        wait, ticket = await _BUDGET(self._store, self._vcenter, self._rate, mode, ticket)
        return timedelta(milliseconds=int(wait)), int(ticket)


_BUDGET: Final = load("bot.logs", "scripts/budget")
