"""views.*: what the app puts in front of a person."""

from __future__ import annotations

from collections.abc import Mapping

from bot.playground.slack.calls import Call, Method
from bot.playground.slack.changes import Json
from bot.playground.slack.records import View
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.triggers import Triggers
from bot.playground.slack.views import Views


class ViewMethods:
    """The methods need the views and the trigger ids beside the workspace, so they are bound to them."""

    def __init__(self, views: Views, triggers: Triggers) -> None:
        self._views = views
        self._triggers = triggers

    def methods(self) -> Mapping[str, Method]:
        return {
            "views.open": Method(run=self.open),
            "views.push": Method(run=self.push),
            "views.update": Method(run=self.update),
            "views.publish": Method(run=self.publish),
        }

    def open(self, call: Call) -> Json:
        user = self._triggers.spend(call.text("trigger_id"))
        return self._shown(self._views.open(user, call.arguments.get("view")))

    def push(self, call: Call) -> Json:
        user = self._triggers.spend(call.text("trigger_id"))
        return self._shown(self._views.push(user, call.arguments.get("view")))

    def update(self, call: Call) -> Json:
        sent = call.arguments.get("view")
        return self._shown(self._views.update(_view_id(call), sent, expected_hash=call.optional("hash")))

    def publish(self, call: Call) -> Json:
        user = call.user("user_id").id
        return self._shown(self._views.publish(user, call.arguments.get("view"), expected_hash=call.optional("hash")))

    def _shown(self, view: View) -> Json:
        return {"view": self._views.to_json(view)}


def _view_id(call: Call) -> str:
    """A view is named by its own id, or by the one that the app gave it."""
    external = call.optional("external_id")
    if external is None:
        return call.text("view_id")
    for view in call.workspace.views.values():
        if view.content.get("external_id") == external:
            return view.id
    raise ApiRefusalError("not_found")
