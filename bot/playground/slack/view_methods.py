"""views.*: what the app puts in front of a person."""

from __future__ import annotations

from collections.abc import Mapping

from bot.playground.slack.calls import Call, Method
from bot.playground.slack.changes import Json
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
        return self._shown(self._views.open(user, call.arguments.get("view")).id, call)

    def push(self, call: Call) -> Json:
        user = self._triggers.spend(call.text("trigger_id"))
        top = [
            view
            for view in call.workspace.views.values()
            if view.user == user and _is_open_modal(view.content, view.open)
        ]
        previous = top[-1].id if top else None
        return self._shown(self._views.open(user, call.arguments.get("view"), previous=previous).id, call)

    def update(self, call: Call) -> Json:
        view = self._views.update(self._view_id(call), call.arguments.get("view"), expected_hash=call.optional("hash"))
        return self._shown(view.id, call)

    def publish(self, call: Call) -> Json:
        user = call.user("user_id")
        return self._shown(self._views.publish(user.id, call.arguments.get("view")).id, call)

    def _view_id(self, call: Call) -> str:
        external = call.optional("external_id")
        if external is None:
            return call.text("view_id")
        for view in call.workspace.views.values():
            if view.content.get("external_id") == external:
                return view.id
        raise ApiRefusalError("not_found")

    def _shown(self, view_id: str, call: Call) -> Json:
        return {"view": self._views.to_json(call.workspace.views[view_id])}


def _is_open_modal(content: Json, is_open: bool) -> bool:  # noqa: FBT001
    return is_open and content["type"] == "modal"
