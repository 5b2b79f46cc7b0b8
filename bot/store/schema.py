"""The version of what is kept in Redis, and the way from an older one to ours.

Whoever starts first brings the data up, one version after the other. Each step is one script, or may be run again from
its start: a program that dies on the way leaves data that the next one goes on with. A step knows the forms of its own
two versions by heart and imports nothing that may change later; it is the one place that writes other rooms' keys.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from bot.errors import LoginError, OutsideError, UserError
from bot.store import keys
from bot.store.client import Store
from bot.store.form import FORM, PROGRAM
from bot.store.scripts import load

VERSION: Final = str(FORM)

_LOCKED_FOR: Final = timedelta(minutes=1)
_ASK_AGAIN: Final = 0.1  # seconds

_log = logging.getLogger(__name__)

Step = Callable[[Store], Awaitable[Any]]


def _scripted(name: str) -> Step:
    script = load("bot.store", f"migrations/{name}")
    return lambda store: script(store, repeatable=True, durable=True)


STEPS: Final[Mapping[str, Step]] = {"1": _scripted("from_1")}
"""From this version to the next. A step sets the version itself, as the last thing it does."""

_UNLOCK: Final = load("bot.store", "migrations/unlock")
_LIVE_LEASES: Final = load("bot.store", "migrations/live_leases")


async def check_schema(store: Store) -> None:
    """Mark an empty Redis as ours, and bring older data up to our version.

    Raises `UserError` if a newer program wrote what is there, and `OutsideError` while an older one is still at work:
    it would go on writing what nobody reads any more.
    """
    await mark_emptied(store)
    if await _known(store) == VERSION:
        return
    async with _alone(store):
        while (found := await _known(store)) != VERSION:
            await _refuse_company(store, found)
            await STEPS[found](store)
            _log.warning("The data in Redis at %s was brought from schema %s to the next.", store.where, found)


async def mark_emptied(store: Store) -> None:
    """Mark a Redis that lost everything as ours, for who is already at work; data of any version is left alone."""
    await store.set(keys.SCHEMA, VERSION, nx=True)


async def _known(store: Store) -> str:
    """The version of what is there, if there is a way from it to ours."""
    found = await store.text(keys.SCHEMA) or ""
    if found != VERSION and found not in STEPS:
        raise UserError(
            f"Redis at {store.where} holds data of schema {found}; this version of coldmigrate reads schema {VERSION}. "
            "Run the version that wrote it, or use another database number in the URL."
        )
    return found


@asynccontextmanager
async def _alone(store: Store) -> AsyncIterator[None]:
    """One program at a time; one that died in here keeps others out for a minute at most."""
    token = secrets.token_hex(8)
    try:
        async with asyncio.timeout(2 * _LOCKED_FOR.total_seconds()):
            while not await store.set(keys.SCHEMA_LOCK, token, nx=True, px=_LOCKED_FOR):  # noqa: ASYNC110 - Redis tells nobody
                await asyncio.sleep(_ASK_AGAIN)
    except TimeoutError:
        raise OutsideError(
            f"Other programs have been bringing the data in Redis at {store.where} up for minutes; see their logs.",
            transient=True,
        ) from None
    try:
        yield
    finally:
        await _UNLOCK(store, token, repeatable=True)


async def _refuse_company(store: Store, found: str) -> None:
    older = await _older_programs(store)
    leases = int(await _LIVE_LEASES(store, repeatable=True))
    if older or leases:
        signs = [f"{len(older)} connections ({', '.join(sorted(older))})"] if older else []
        signs += [f"{leases} jobs that are being worked on"] if leases else []
        raise OutsideError(
            f"Redis at {store.where} holds data of schema {found} and an older coldmigrate still uses it: "
            f"{' and '.join(signs)}. Stop all its bots and workers; this one then brings the data to schema {VERSION}.",
            transient=True,
        )


async def _older_programs(store: Store) -> set[str]:
    """Where programs of an older schema are connected from; empty when Redis does not let us ask."""
    try:
        clients = await store.client_list()
    except LoginError as error:
        _log.warning("Whether an older coldmigrate is still running could not be asked: %s", error)
        return set()
    mine = await store.client_info()
    return {str(client["addr"]) for client in clients if client["db"] == str(mine["db"]) and _is_older(client)}


def _is_older(client: Mapping[str, str]) -> bool:
    """Programs before schema 2 gave their connections no name."""
    name, library = client.get("name", ""), client.get("lib-name", "")
    if not name:
        return library == "redis-py"
    program, _, form = name.partition("/")
    return program == PROGRAM and form.isdecimal() and int(form) < FORM
