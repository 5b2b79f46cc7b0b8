"""Modals and Home tabs: kept, checked, changed. Which method asked for it is the Web API's business."""

from __future__ import annotations

import secrets
from typing import Any

from bot.playground.slack.block_kit import view_problems
from bot.playground.slack.changes import ChangeKind, Json
from bot.playground.slack.content import as_stored, decoded
from bot.playground.slack.records import View
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.workspace import Workspace, make_id

DEEPEST_STACK = 3


class Views:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def open(self, user: str, sent: Any, *, previous: str | None = None) -> View:
        """Put a modal in front of `user`, on top of `previous` if there is one. Refused if the stack is full."""
        if previous and self._depth(previous) >= DEEPEST_STACK:
            raise ApiRefusalError("push_limit_reached")
        return self._keep(user, self._content(sent, kind="modal"), previous=previous)

    def push(self, user: str, sent: Any) -> View:
        """Put a modal on top of the one that `user` has open."""
        opened = [
            v for v in self._workspace.views.values() if v.user == user and v.open and v.content["type"] == "modal"
        ]
        return self.open(user, sent, previous=opened[-1].id if opened else None)

    def publish(self, user: str, sent: Any) -> View:
        """Set the Home tab of `user`."""
        content = self._content(sent, kind="home")
        for view in self._workspace.views.values():
            if view.user == user and view.content["type"] == "home":
                self._change(view, content)
                return view
        return self._keep(user, content)

    def update(self, view_id: str, sent: Any, *, expected_hash: str | None = None) -> View:
        """Change what a view shows. Refused if it is gone, or has changed since `expected_hash` was read."""
        view = self._workspace.views.get(view_id)
        if view is None or not view.open:
            raise ApiRefusalError("not_found")
        if expected_hash and expected_hash != view.hash:
            raise ApiRefusalError("hash_conflict")
        self._change(view, self._content(sent, kind=view.content["type"]))
        return view

    def answer(self, view: View, ack: Json) -> None:
        """What the ack of a submission asks for; without a word the modal closes."""
        action = ack.get("response_action")
        if action == "errors":
            return
        if action == "update":
            self._change(view, self._content(ack.get("view"), kind="modal"))
        elif action == "push":
            self.open(view.user, ack.get("view"), previous=view.id)
        else:
            self._close(view, whole_stack=action == "clear")

    def to_json(self, view: View) -> Json:
        return view.to_json(team_id=self._workspace.team.id, app=self._workspace.app)

    def _content(self, sent: Any, *, kind: str) -> Json:
        content = _content(sent, kind=kind)
        self._workspace.said("view", decoded(sent, otherwise="invalid_arguments"))
        return content

    def _keep(self, user: str, content: Json, *, previous: str | None = None) -> View:
        view = View(id=make_id("V"), user=user, content=content, hash=_hash(), previous=previous)
        self._workspace.views[view.id] = view
        self._workspace.changes.publish(ChangeKind.VIEW, subject=view.id)
        return view

    def _change(self, view: View, content: Json) -> None:
        view.content, view.hash = content, _hash()
        self._workspace.changes.publish(ChangeKind.VIEW, subject=view.id)

    def _close(self, view: View, *, whole_stack: bool) -> None:
        below = view.previous
        view.open = False
        if whole_stack and below:
            self._close(self._workspace.views[below], whole_stack=True)
        self._workspace.changes.publish(ChangeKind.VIEW, subject=view.id)

    def _depth(self, view_id: str | None) -> int:
        depth = 0
        while view_id:
            depth, view_id = depth + 1, self._workspace.views[view_id].previous
        return depth


def _content(sent: Any, *, kind: str) -> Json:
    view = decoded(sent, otherwise="invalid_arguments")
    problems = (
        [] if isinstance(view, dict) and view.get("type") == kind else [f"must be a {kind} [json-pointer:/view/type]"]
    )
    problems = problems or [str(problem) for problem in view_problems(view)]
    if problems:
        raise ApiRefusalError("invalid_arguments", messages=problems)
    content: Json = dict(view)
    return content | {"blocks": as_stored(content["blocks"])}


def _hash() -> str:
    return secrets.token_hex(8)
