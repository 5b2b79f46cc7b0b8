"""What a person's client remembers between gestures: choices not yet sent, and options that the app once offered."""

from __future__ import annotations

from collections.abc import Iterable

from bot.playground.slack.changes import Json
from bot.playground.slack.gestures import NOTHING_OFFERED, STATELESS, Control, Offered, Value, chosen, state_values

Place = tuple[str, str]


class ClientState:
    """By user and place; a place is a message's ts or a view's id. Controls keep their value while both ids stay."""

    def __init__(self) -> None:
        self._held: dict[Place, dict[tuple[str, str], Json]] = {}
        self._offered: dict[tuple[Place, str], dict[str, Json]] = {}

    def use(self, user: str, place: str, control: Control, value: Value) -> None:
        """Remember what a control holds from now on."""
        if control.kind not in STATELESS:
            held = chosen(control.element, value, offered=self.offered(user, place, control))
            self._held.setdefault((user, place), {})[control.block_id, control.action_id] = held

    def values(self, user: str, place: str, blocks: Iterable[Json]) -> Json:
        """`state.values` as this person's client would send it."""
        held = self._held.get((user, place), {})
        return state_values(blocks, lambda control: held.get((control.block_id, control.action_id)))

    def offer(self, user: str, place: str, control: Control, options: Iterable[Json]) -> None:
        """The app offered these while the person typed; they can be chosen with their own words."""
        known = self._offered.setdefault(((user, place), control.action_id), {})
        known.update({str(option["value"]): option for option in options})

    def offered(self, user: str, place: str, control: Control) -> Offered:
        return self._offered.get(((user, place), control.action_id), NOTHING_OFFERED)

    def forget(self, user: str, place: str) -> None:
        """The view is gone."""
        self._held.pop((user, place), None)
