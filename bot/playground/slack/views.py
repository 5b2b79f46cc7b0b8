"""Modals and Home tabs: kept, checked, changed. Which method asked for it is the Web API's business."""

from __future__ import annotations

import json
import secrets
from typing import Any

from bot.playground.slack.block_kit import view_problems
from bot.playground.slack.changes import ChangeKind, Json
from bot.playground.slack.content import as_stored, decoded
from bot.playground.slack.records import View
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.workspace import Workspace, make_id

DEEPEST_STACK = 3
LARGEST_VIEW = 250 * 1024


class Views:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def open(self, user: str, sent: Any, *, previous: View | None = None) -> View:
        """Put a modal in front of `user`, on top of `previous` if there is one. Refused if the stack is full."""
        if previous and self._depth(previous) >= DEEPEST_STACK:
            raise ApiRefusalError("push_limit_reached")
        return self._keep(user, self._content(sent, kind="modal"), previous=previous)

    def push(self, user: str, sent: Any) -> View:
        """Put a modal on top of the one that `user` has open."""
        return self.open(user, sent, previous=self.top(user))

    def top(self, user: str) -> View | None:
        """The modal that `user` can touch."""
        opened = [v for v in self._workspace.views.values() if v.user == user and v.open and v.kind == "modal"]
        return opened[-1] if opened else None

    def publish(self, user: str, sent: Any, *, expected_hash: str | None = None) -> View:
        """Set the Home tab of `user`. Refused if it has changed since `expected_hash` was read."""
        content = self._content(sent, kind="home")
        for view in self._workspace.views.values():
            if view.user == user and view.kind == "home":
                return self._change(view, content, expected_hash)
        return self._keep(user, content)

    def update(self, view_id: str, sent: Any, *, expected_hash: str | None = None) -> View:
        """Change what a view shows. Refused if it is gone, or has changed since `expected_hash` was read."""
        view = self._workspace.views.get(view_id)
        if view is None or not view.open:
            raise ApiRefusalError("not_found")
        return self._change(view, self._content(sent, kind=view.kind, instead_of=view), expected_hash)

    def answer(self, view: View, ack: Json) -> None:
        """What the ack of a submission asks for; without a word the modal closes. Refused if it makes no sense."""
        match ack.get("response_action"):
            case "errors":
                _check_errors(view, ack.get("errors"))
            case "update":
                self._change(view, self._content(ack.get("view"), kind="modal", instead_of=view))
            case "push":
                self.open(view.user, ack.get("view"), previous=view)
            case "clear":
                self.close(view, whole_stack=True)
            case None:
                self.close(view, whole_stack=False)
            case unknown:
                raise ApiRefusalError("invalid_response_action", messages=[f"unknown response_action: {unknown}"])

    def close(self, view: View, *, whole_stack: bool) -> list[View]:
        """Take a modal away, and with `whole_stack` all that lie under it. Returns what was closed, top first."""
        closed = [view]
        while whole_stack and (below := self._workspace.views.get(closed[-1].previous or "")):
            closed.append(below)
        for one in closed:
            one.open = False
            self._workspace.changes.publish(ChangeKind.VIEW, subject=one.id)
        return closed

    def to_json(self, view: View) -> Json:
        return view.to_json(team_id=self._workspace.team.id, app=self._workspace.app)

    def _content(self, sent: Any, *, kind: str, instead_of: View | None = None) -> Json:
        content = _content(sent, kind=kind)
        external_id = content.get("external_id")
        others = (view for view in self._workspace.views.values() if view.open and view is not instead_of)
        if external_id and kind == "modal" and any(view.content.get("external_id") == external_id for view in others):
            raise ApiRefusalError("duplicate_external_id")
        self._workspace.said("view", decoded(sent, otherwise="invalid_arguments"))
        return content

    def _keep(self, user: str, content: Json, *, previous: View | None = None) -> View:
        view = View(id=make_id("V"), user=user, content=content, hash=_hash())
        view.previous = previous.id if previous else None
        view.root = previous.root if previous else view.id
        self._workspace.views[view.id] = view
        self._workspace.changes.publish(ChangeKind.VIEW, subject=view.id)
        return view

    def _change(self, view: View, content: Json, expected_hash: str | None = None) -> View:
        if expected_hash and expected_hash != view.hash:
            raise ApiRefusalError("hash_conflict")
        view.content, view.hash = content, _hash()
        self._workspace.changes.publish(ChangeKind.VIEW, subject=view.id)
        return view

    def _depth(self, view: View | None) -> int:
        depth = 0
        while view:
            depth, view = depth + 1, self._workspace.views.get(view.previous or "")
        return depth


def _check_errors(view: View, errors: Any) -> None:
    """Errors stand under inputs: each must name the block of one."""
    inputs = {block["block_id"] for block in view.content["blocks"] if block["type"] == "input"}
    sound = isinstance(errors, dict) and errors and all(isinstance(text, str) for text in errors.values())
    if not sound or set(errors) - inputs:
        raise ApiRefusalError("invalid_errors", messages=[f"errors must name blocks of inputs: {sorted(inputs)}"])


def _content(sent: Any, *, kind: str) -> Json:
    view = decoded(sent, otherwise="invalid_arguments")
    problems = (
        [] if isinstance(view, dict) and view.get("type") == kind else [f"must be a {kind} [json-pointer:/view/type]"]
    )
    problems = problems or [str(problem) for problem in view_problems(view)]
    if problems:
        raise ApiRefusalError("invalid_arguments", messages=problems)
    if len(json.dumps(view).encode()) > LARGEST_VIEW:
        raise ApiRefusalError("view_too_large")
    content: Json = dict(view)
    return content | {"blocks": as_stored(content["blocks"])}


def _hash() -> str:
    return secrets.token_hex(8)
