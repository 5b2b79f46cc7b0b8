"""What the page may say, as shapes: PROTOCOL.md's gestures and orders. What they do is in `gestures` and `orders`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.errors import UserError

LONGEST_TEXT = 40_000
LONGEST_ADVANCE = 366 * 24 * 3600.0

Name = Annotated[str, Field(min_length=1, max_length=300)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Chosen = Text | list[Text] | int | None
"""A value that was chosen or typed: one, several, a moment in Unix seconds, or none."""


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Look(_Said):
    """Who looks at the page, and at what. `home` is true while the app's Home tab is in front of the channel."""

    do: Literal["look"] = "look"
    user: Name
    channel: Name
    thread: Name | None = None
    home: bool = False


class Command(_Said):
    do: Literal["command"]
    channel: Name
    line: Text


class Post(_Said):
    do: Literal["post"]
    channel: Name
    text: Text
    thread_ts: Name | None = None


class React(_Said):
    do: Literal["react"]
    channel: Name
    ts: Name
    name: Name


class Click(_Said):
    do: Literal["click"]
    channel: Name
    ts: Name
    block_id: Name
    action_id: Name
    value: Chosen = None


class ViewClick(_Said):
    do: Literal["view_click"]
    view_id: Name
    block_id: Name
    action_id: Name
    value: Chosen = None


class SubmitView(_Said):
    do: Literal["submit_view"]
    view_id: Name
    values: dict[Name, dict[Name, Chosen]] = {}


class CloseView(_Said):
    do: Literal["close_view"]
    view_id: Name


class Options(_Said):
    do: Literal["options"]
    action_id: Name
    block_id: Name
    query: Text = ""
    view_id: Name | None = None
    channel: Name | None = None
    ts: Name | None = None


class Shortcut(_Said):
    do: Literal["shortcut"]
    callback_id: Name


class MessageShortcut(_Said):
    do: Literal["message_shortcut"]
    callback_id: Name
    channel: Name
    ts: Name


class HomeClick(_Said):
    do: Literal["home_click"]
    block_id: Name
    action_id: Name
    value: Chosen = None


class LinkArgs(_Said):
    """Loss as a share of 1, rate in bit/s, round trip in seconds."""

    between: tuple[Name, Name]
    loss: float | None = Field(None, ge=0, le=1)
    rate: int | None = Field(None, ge=0)
    rtt: float | None = Field(None, ge=0, le=60)
    mtu: int | None = Field(None, ge=576, le=9216)


class BlockArgs(_Said):
    from_: Name = Field(alias="from")
    to: Name
    port: int = Field(902, ge=1, le=65535)
    how: Literal["silent", "refused"] = "silent"
    blocked: bool = True


class FillArgs(_Said):
    datastore: Name
    free: int = Field(ge=0)


class HostArgs(_Said):
    host: Name
    connected: bool | None = None
    maintenance: bool | None = None


class RelocateArgs(_Said):
    """Somebody else's move, in the vSphere Client."""

    vm: Name
    site: Name


class ExpireArgs(_Said):
    vcenter: Name | None = None


class VCenterArgs(_Said):
    vcenter: Name
    up: bool


class KillArgs(_Said):
    role: Name


class AdvanceArgs(_Said):
    seconds: float = Field(gt=0, le=LONGEST_ADVANCE)


class SlackArgs(_Said):
    what: Literal["disconnect", "429", "thrice"]
    times: int = Field(10, ge=1, le=1000)


WorldArgs = (
    LinkArgs
    | BlockArgs
    | FillArgs
    | HostArgs
    | RelocateArgs
    | ExpireArgs
    | VCenterArgs
    | KillArgs
    | AdvanceArgs
    | SlackArgs
)
ORDERS: dict[str, type[WorldArgs]] = {
    "link": LinkArgs,
    "block": BlockArgs,
    "fill": FillArgs,
    "host": HostArgs,
    "relocate": RelocateArgs,
    "expire-sessions": ExpireArgs,
    "vcenter": VCenterArgs,
    "kill": KillArgs,
    "advance": AdvanceArgs,
    "slack": SlackArgs,
}


class WorldOrder(_Said):
    """A switch of the world; `args` are read by `args_of`."""

    do: Literal["world"]
    order: Name
    args: dict[str, Any] = {}


Gesture = (
    Look
    | Command
    | Post
    | React
    | Click
    | ViewClick
    | SubmitView
    | CloseView
    | Options
    | Shortcut
    | MessageShortcut
    | HomeClick
    | WorldOrder
)
_GESTURES: TypeAdapter[Gesture] = TypeAdapter(Annotated[Gesture, Field(discriminator="do")])


def gesture_of(sent: dict[str, Any]) -> Gesture:
    """Read a gesture. Refused with one UserError that names everything that is wrong with it."""
    try:
        return _GESTURES.validate_python(sent)
    except ValidationError as error:
        raise UserError(f"This gesture cannot be read: {_worded(error)}.") from error


def args_of(said: WorldOrder) -> WorldArgs:
    """Read the arguments of a switch. Refused with UserError, for a switch that is not there too."""
    shape = ORDERS.get(said.order)
    if shape is None:
        raise UserError(f"There is no switch {said.order!r}; there are: {', '.join(ORDERS)}.")
    try:
        return shape.model_validate(said.args)
    except ValidationError as error:
        raise UserError(f"The switch {said.order!r} cannot be used like this: {_worded(error)}.") from error


def _worded(error: ValidationError) -> str:
    entries = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}".removeprefix(": ") for e in entries[:5])
