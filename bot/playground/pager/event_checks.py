"""What PagerDuty's Events API v2 asks of an event, as its published schema and limits say; what is wrong, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

LARGEST_EVENT = 512 * 1000
ROUTING_KEY = 32
DEDUP_KEY = 255
SUMMARY = 1024
ACTIONS = frozenset({"trigger", "acknowledge", "resolve"})
SEVERITIES = frozenset({"critical", "warning", "error", "info"})
TOP = frozenset({"payload", "routing_key", "event_action", "dedup_key", "client", "client_url", "links", "images"})
PAYLOAD = frozenset({"summary", "timestamp", "severity", "source", "component", "group", "class", "custom_details"})
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_URL = re.compile(r"https?://[^\s/]+(/\S*)?")


def mistakes(event: object) -> list[str]:
    """Everything that is wrong with an event; nothing if it is taken."""
    if not isinstance(event, dict):
        return ["JSON parse error"]
    return list(_event(event))


def _event(event: Mapping[str, Any]) -> Iterator[str]:
    key = event.get("routing_key")
    if not isinstance(key, str):
        yield "'routing_key' is missing or blank"
    elif len(key) != ROUTING_KEY:
        yield f"Length of 'routing_key' is incorrect (should be {ROUTING_KEY} characters)"
    if event.get("event_action") not in ACTIONS:
        yield "'event_action' is invalid (must be one of trigger, acknowledge, resolve)"
    dedup = event.get("dedup_key")
    if dedup is None and event.get("event_action") != "trigger":
        yield "'dedup_key' is missing or blank"
    if dedup is not None and not (isinstance(dedup, str) and 0 < len(dedup) <= DEDUP_KEY):
        yield f"'dedup_key' is invalid (must be 1 to {DEDUP_KEY} characters)"
    yield from (f"'{name}' is no field of an event" for name in sorted(set(event) - TOP))
    if event.get("event_action") == "trigger":
        yield from _payload(event.get("payload"))
    yield from _links(event.get("links", []))


def _payload(payload: object) -> Iterator[str]:
    if not isinstance(payload, dict):
        yield "'payload' is missing or blank"
        return
    for name in ("summary", "source", "severity"):
        if not isinstance(payload.get(name), str) or not payload[name]:
            yield f"'payload.{name}' is missing or blank"
    if len(str(payload.get("summary", ""))) > SUMMARY:
        yield f"'payload.summary' is too long (maximum is {SUMMARY} characters)"
    if payload.get("severity") not in SEVERITIES:
        yield "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
    if "timestamp" in payload and not _MOMENT.fullmatch(str(payload["timestamp"])):
        yield "'payload.timestamp' is invalid (must be ISO 8601)"
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "'payload.custom_details' is invalid (must be an object)"
    yield from (f"'payload.{name}' is no field of a payload" for name in sorted(set(payload) - PAYLOAD))


def _links(links: object) -> Iterator[str]:
    if not isinstance(links, list):
        yield "'links' is invalid (must be an array)"
        return
    for link in links:
        if not isinstance(link, dict) or not _URL.fullmatch(str(link.get("href"))):
            yield "'links' is invalid (each needs an href)"
