"""Judges what the app hands to Slack: Slack's own types, slackblocks' limits, and our own rules, in this order.

Stands apart from the simulated Slack on purpose: what both misunderstand in the same way, neither would find.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from tests.slack_referee.limits import faults_of_limits
from tests.slack_referee.rules import faults_by_rules
from tests.slack_referee.shape import faults_of_shape

# What Slack itself adds to a view before it hands it back.
ADDED_TO_VIEWS = (
    "id team_id hash state previous_view_id root_view_id app_id app_installed_team_id bot_id".split()  # noqa: SIM905
)
# Slack fills these in, empty, when they were not sent.
EMPTY_IN_VIEWS = ("callback_id", "external_id", "private_metadata")

Json = dict[str, Any]

_judged: dict[str, tuple[str, ...]] = {}
_shapes: dict[str, tuple[str, ...]] = {}


def faults_of_message(payload: Json) -> list[str]:
    """What is wrong with a message as it was sent or as Slack shows it; nothing is wrong with an empty list."""
    kept = {name: payload[name] for name in ("text", "blocks", "attachments", "metadata") if payload.get(name)}
    return _remembered("message", kept)


def faults_of_view(view: Json) -> list[str]:
    """The same of a modal or a Home tab."""
    kept = {name: value for name, value in view.items() if name not in ADDED_TO_VIEWS}
    kept = {name: value for name, value in kept.items() if value or name not in EMPTY_IN_VIEWS}
    return _remembered("home" if view.get("type") == "home" else "modal", kept)


def _remembered(surface: str, thing: Json) -> list[str]:
    """A card is drawn over and over; each drawing is judged once."""
    digest = hashlib.sha256(f"{surface} {json.dumps(thing, sort_keys=True, default=repr)}".encode()).hexdigest()
    if digest not in _judged:
        _judged[digest] = tuple(_faults(surface, thing))
    return list(_judged[digest])


def _faults_of_blocks(blocks: object) -> Iterable[str]:
    """Block by block: most of a card stays as it is while its bar moves, and the shape is most of the work."""
    if not isinstance(blocks, list):
        yield from faults_of_shape(blocks, definition="Blocks")
        return
    for number, block in enumerate(blocks):
        written = json.dumps(block, sort_keys=True, default=repr)
        if written not in _shapes:
            _shapes[written] = tuple(faults_of_shape([block], definition="Blocks"))
        yield from (f"/{number}{fault.removeprefix('/0')}" for fault in _shapes[written])


def _faults(surface: str, thing: Json) -> Iterable[str]:
    if surface == "message":
        yield from (f"/blocks{fault}" for fault in _faults_of_blocks(thing.get("blocks", [])))
        if "metadata" in thing:
            yield from (f"/metadata{fault}" for fault in faults_of_shape(thing["metadata"], definition="Metadata"))
    else:
        yield from faults_of_shape(thing, definition=surface.capitalize())
    yield from faults_of_limits(thing, surface=surface)
    yield from faults_by_rules(thing, surface=surface)
