"""The shape of what we hand to Slack, by Slack's own types: `slack.schema.json` is generated from them.

What may not live here: lengths and counts, which types do not know, and opinions of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, ValidationError, validators

SCHEMA = Path(__file__).with_name("slack.schema.json")

Json = dict[str, Any]


def faults_of_shape(thing: object, *, definition: str) -> list[str]:
    """What Slack's types have against `thing`, each with the place where it stands."""
    return [f"{_place(error)}: {error.message[:300]}" for error in _validator(definition).iter_errors(thing)]


def _place(error: ValidationError) -> str:
    return "/" + "/".join(map(str, error.absolute_path))


def _any_of(validator: Any, options: list[Json], instance: object, _schema: Json) -> Iterator[ValidationError]:
    """Only those alternatives that are of the instance's own `type`, so that a fault is named where it stands.

    As it comes, jsonschema tries all twenty kinds of block and then says that none fits.
    """
    fitting = [option for option in options if _may_be(option, instance)]
    tried = [list(validator.descend(instance, option)) for option in fitting]
    if not all(tried):  # an alternative without errors
        return
    if len(tried) == 1:
        yield from tried[0]
    elif isinstance(instance, dict) and not tried:
        yield ValidationError(f"type {instance.get('type')!r} is not known here")
    else:
        yield ValidationError(f"{instance!r:.200} is none of what may stand here")


def _may_be(option: Json, instance: object) -> bool:
    if not isinstance(instance, dict):
        return True
    kinds = _kinds(option)
    return kinds is None or instance.get("type") in kinds


def _kinds(option: Json) -> set[object] | None:
    """The values of `type` that this alternative takes; None when it does not say."""
    option = _DEFINITIONS[option["$ref"].rpartition("/")[2]] if "$ref" in option else option
    if "anyOf" in option:
        below = [_kinds(one) for one in option["anyOf"]]
        return None if None in below else {kind for kinds in below for kind in kinds or ()}
    kind = option.get("properties", {}).get("type", {})
    return {kind["const"]} if "const" in kind else set(kind["enum"]) if "enum" in kind else None


_ROOT: Json = json.loads(SCHEMA.read_text(encoding="utf-8"))
_DEFINITIONS: Json = _ROOT["definitions"]
_Validator: Any = validators.extend(Draft7Validator, {"anyOf": _any_of})  # type: ignore[no-untyped-call]
_VALIDATORS: dict[str, Any] = {}


def _validator(definition: str) -> Any:
    """Made once: reading the schema is most of the work."""
    if definition not in _VALIDATORS:
        _VALIDATORS[definition] = _Validator({**_ROOT, "$ref": f"#/definitions/{definition}"})
    return _VALIDATORS[definition]
