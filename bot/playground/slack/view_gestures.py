"""Hands on modals, the Home tab and menus that ask the app for their options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.errors import UserError
from bot.playground.slack.block_elements import OFFERED_GROUPS, OFFERED_OPTIONS
from bot.playground.slack.changes import Json
from bot.playground.slack.client_state import ClientState
from bot.playground.slack.files import Files
from bot.playground.slack.gestures import Control, Value, action_json, controls, filled_in, find_control
from bot.playground.slack.inputs import input_errors
from bot.playground.slack.interactions import Interactions
from bot.playground.slack.outcome import NOT_SENT, Outcome
from bot.playground.slack.payloads import Installation
from bot.playground.slack.records import Channel, Ephemeral, User, View
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.response_urls import ResponseUrls
from bot.playground.slack.screen import Screen
from bot.playground.slack.triggers import Triggers
from bot.playground.slack.views import Views
from bot.playground.slack.workspace import Workspace

ASKING = frozenset({"external_select", "multi_external_select"})
# Slack waits for three characters unless the menu says otherwise.
USUAL_QUERY = 3
# What Slack's client calls an answer that it cannot draw is not documented. invented
BAD_OPTIONS = "invalid_options"


class ViewGestures(Screen):
    """A person can only touch the modal on top and their own Home tab."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        interactions: Interactions,
        triggers: Triggers,
        response_urls: ResponseUrls,
        views: Views,
        files: Files,
    ) -> None:
        super().__init__(workspace, files)
        self._interactions = interactions
        self._triggers = triggers
        self._response_urls = response_urls
        self._views = views
        self._client = ClientState()
        self._installation = Installation(workspace.team, workspace.app)

    async def submit_view(self, user: str, view_id: str, values: Mapping[str, Any] | None = None) -> Outcome:
        """Fill in inputs and submit the modal; the ack may close, change or stack it, or name errors.

        `values` is by action_id, or by block_id and action_id. What the client finds wanting is not sent.
        """
        who, view = self._touchable(user, view_id, kind="modal")
        blocks = view.content["blocks"]
        for (block_id, action_id), typed in filled_in(blocks, values or {}).items():
            self._client.use(who.id, view.id, find_control(blocks, action_id, block_id=block_id), typed)
        state = self._state(who, view)
        errors = input_errors(blocks, state)
        if errors:
            return Outcome(error=NOT_SENT, errors=errors)
        payload = self._installation.view_submission(
            user=who,
            view=self._view_json(view, state),
            trigger_id=self._triggers.issue(who.id),
            response_urls=self._view_response_urls(who, blocks, state),
        )
        outcome = await self._interactions.send(who, self._home(who), payload)
        return outcome if outcome.error else self._answered(view, outcome)

    async def click_in_view(
        self, user: str, view_id: str, action_id: str, *, block_id: str | None = None, value: Value = None
    ) -> Outcome:
        """Use a button, menu or input of a modal or of the Home tab. The app is told unless it is a quiet input."""
        who, view = self._touchable(user, view_id)
        control = find_control(
            view.content["blocks"], action_id, block_id=block_id, value=value if isinstance(value, str) else None
        )
        action = action_json(
            control,
            value,
            action_ts=self._workspace.new_ts(),
            offered=self._client.offered(who.id, view.id, control),
        )
        self._client.use(who.id, view.id, control, value)
        if not control.speaks:
            return Outcome()
        payload = self._installation.view_actions(
            user=who,
            view=self._view_json(view, self._state(who, view)),
            action=action,
            trigger_id=self._triggers.issue(who.id),
        )
        return await self._interactions.send(who, self._home(who), payload)

    async def close_view(self, user: str, view_id: str, *, whole_stack: bool = False) -> Outcome:
        """Close the modal on top, or all of them. The app learns of it if the view wanted that."""
        who, view = self._touchable(user, view_id, kind="modal")
        cleared = whole_stack or bool(view.content.get("clear_on_close"))
        closed = self._views.close(view, whole_stack=cleared)
        outcome = Outcome()
        for one in closed:
            shown = self._view_json(one, self._state(who, one))
            self._client.forget(who.id, one.id)
            if one.content.get("notify_on_close"):
                payload = self._installation.view_closed(user=who, view=shown, is_cleared=cleared)
                outcome = await self._interactions.ask(payload)
        return outcome

    async def type_ahead(
        self,
        user: str,
        action_id: str,
        query: str,
        *,
        view_id: str | None = None,
        channel: str | None = None,
        ts: str | None = None,
        block_id: str | None = None,
    ) -> Json:
        """What a menu that asks the app shows for `query`: `options` or `option_groups`.

        Nothing, and an `error`, if the app is late or its answer is not one that Slack takes.
        """
        if view_id is not None:
            who, view = self._touchable(user, view_id)
            place, blocks = view.id, view.content["blocks"]
            surface = self._installation.in_view(self._view_json(view, self._state(who, view)))
        elif channel is not None and ts is not None:
            who, where = self._reader(user, channel)
            place, blocks, surface = self._in_message(who, where, ts)
        else:
            raise UserError("Say where the menu stands: a view_id, or a channel and a ts.")
        control = find_control(blocks, action_id, block_id=block_id)
        if control.kind not in ASKING:
            raise UserError(f"{action_id} is a {control.kind}; it does not ask the app for options.")
        if len(query) < control.element.get("min_query_length", USUAL_QUERY):
            return {"options": []}
        return await self._suggested(who, place, control, query, surface)

    async def _suggested(self, who: User, place: str, control: Control, query: str, surface: Json) -> Json:
        payload = self._installation.block_suggestion(user=who, control=control, query=query, surface=surface)
        outcome = await self._interactions.ask(payload)
        if outcome.error is not None:
            return {"options": [], "error": outcome.error}
        said = outcome.ack or {}
        groups, options = said.get("option_groups"), said.get("options", [])
        problems = OFFERED_OPTIONS(options, "/options") if groups is None else OFFERED_GROUPS(groups, "/option_groups")
        if problems:
            return {"options": [], "error": BAD_OPTIONS, "messages": [str(problem) for problem in problems]}
        flat = options if groups is None else [option for group in groups for option in group["options"]]
        self._client.offer(who.id, place, control, flat)
        return {"options": options} if groups is None else {"option_groups": groups}

    # How

    def _in_message(self, who: User, where: Channel, ts: str) -> tuple[str, list[Json], Json]:
        original = self._shown_to(who, where, ts)
        shown = original.to_json() if isinstance(original, Ephemeral) else self._workspace.message_json(original)
        return original.ts, original.blocks, self._installation.in_message(where, shown)

    def _answered(self, view: View, outcome: Outcome) -> Outcome:
        """What the ack of a submission asks for is done; what it asks for in vain is the person's error message."""
        ack = outcome.ack or {}
        try:
            self._views.answer(view, ack)
        except ApiRefusalError as refusal:
            return replace(outcome, error=refusal.code)
        if ack.get("response_action") == "errors":
            return replace(outcome, errors=dict(ack["errors"]))
        if not view.open:
            self._client.forget(view.user, view.id)
        return outcome

    def _touchable(self, user: str, view_id: str, *, kind: str | None = None) -> tuple[User, View]:
        who = self._workspace.user(user)
        view = self._workspace.views.get(view_id)
        if view is None or not view.open or view.user != who.id or kind not in {None, view.kind}:
            raise UserError(f"{who.name} has no open view {view_id}.")
        if view.kind == "modal" and view is not self._views.top(who.id):
            raise UserError(f"The view {view_id} lies under another one.")
        return who, view

    def _state(self, who: User, view: View) -> Json:
        state = self._client.values(who.id, view.id, view.content["blocks"])
        for held in state.values():
            for value in held.values():
                if "files" in value:
                    value["files"] = [self._file_json(who, file["id"]) for file in value["files"]]
        return state

    def _file_json(self, who: User, file_id: str) -> Json:
        file = self._files.find(file_id, seen_by=who)
        if file is None:
            raise UserError(f"{who.name} can see no file {file_id}.")
        return file.to_json()

    def _view_json(self, view: View, state: Json) -> Json:
        return self._views.to_json(view) | {"state": {"values": state}}

    def _view_response_urls(self, who: User, blocks: list[Json], state: Json) -> list[Json]:
        """One for each conversation chosen in a menu that asked for it (response_url_enabled)."""
        issued = []
        for control in controls(blocks):
            held = state.get(control.block_id, {}).get(control.action_id, {})
            chosen = held.get("selected_conversation") or held.get("selected_channel")
            if control.element.get("response_url_enabled") and chosen:
                url = self._response_urls.issue(who, self._workspace.channel(chosen))
                named = {"block_id": control.block_id, "action_id": control.action_id, "channel_id": chosen}
                issued.append(named | {"response_url": url})
        return issued

    def _home(self, who: User) -> Channel:
        return self._workspace.direct_channel(who.id)
