"""blocks.validate: what Slack thinks of blocks, a message or a view, without showing it to anybody."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bot.playground.slack.block_kit import message_problems, view_problems
from bot.playground.slack.calls import Call, Method
from bot.playground.slack.changes import Json
from bot.playground.slack.content import decoded
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.schema import Problem

KINDS = ("blocks", "message", "view")
CODE = "failed_constraint"


def validate(call: Call) -> Json:
    """Nothing if all is well. Refused with each problem's place otherwise, and if not exactly one thing was sent."""
    sent = [kind for kind in KINDS if call.optional(kind) is not None]
    if len(sent) != 1:
        raise ApiRefusalError("invalid_arguments", messages=[f"must define exactly one of: {', '.join(KINDS)}"])
    kind = sent[0]
    problems = _problems(kind, decoded(call.arguments[kind], otherwise="invalid_arguments"))
    if problems:
        raise ApiRefusalError(f"invalid_{kind}", errors=[_shown(problem) for problem in problems])
    return {}


def _problems(kind: str, thing: Any) -> list[Problem]:
    """Pointers begin at what was sent: /0/text for blocks, /blocks/0/text for a message or a view."""
    if kind == "view":
        return [Problem(one.pointer.removeprefix("/view"), one.message) for one in view_problems(thing)]
    if kind == "message":
        return message_problems(thing.get("blocks", []) if isinstance(thing, dict) else thing)
    return [Problem(one.pointer.removeprefix("/blocks"), one.message) for one in message_problems(thing)]


def _shown(problem: Problem) -> Json:
    return {"pointer": problem.pointer, "code": CODE, "message": problem.message}


METHODS: Mapping[str, Method] = MappingProxyType({"blocks.validate": Method(run=validate)})
