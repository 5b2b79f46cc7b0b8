"""Methods around histories: events and tasks by filter, at once or through collectors."""

from __future__ import annotations

from dataclasses import replace

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.happenings import any_argument
from bot.playground.vcenter.histories import PER_SESSION, EventFilter, History, Period, TaskFilter, checked
from bot.playground.vcenter.inventory import Entity
from bot.playground.vcenter.wire import Data, Node

_QUERIED = 1000
"""QueryEvents hands out at most the newest thousand."""


def _period(by_time: Node | None) -> Period:
    return Period(by_time.moment("beginTime"), by_time.moment("endTime")) if by_time else Period()


def _users(by_user: Node | None) -> tuple[str, ...]:
    return tuple(node.text for node in by_user.all("userList")) if by_user else ()


def _entity(call: Call, by_entity: Node | None) -> Entity | None:
    """Return the entity of a filter. Refuses an unknown one, and one that the session may not see."""
    if by_entity is None:
        return None
    ref = by_entity.reference("entity")
    entity = call.estate.inventory.find(ref)
    if entity is None:
        raise faults.not_found(ref or call.request.target)
    if not call.session.sees(entity):
        raise faults.no_permission(entity.ref, "System.View")
    return entity


def _event_filter(call: Call, spec: Node) -> EventFilter:
    by_entity = spec.one("entity")
    wanted = EventFilter(
        log=call.estate.events,
        entity=_entity(call, by_entity),
        recursion=(by_entity.value("recursion") if by_entity else None) or "self",
        period=_period(spec.one("time")),
        users=_users(spec.one("userName")),
        chain=spec.number("eventChainId"),
        types=tuple(node.text.rpartition(":")[2] for tag in ("eventTypeId", "type") for node in spec.all(tag)),
    )
    session, inventory = call.session, call.estate.inventory
    if session.reads_everything:
        return wanted
    return replace(
        wanted,
        visible=lambda happening: session.may("System.Read", inventory.find(happening.subject) or inventory.root),
    )


def _keep(call: Call, history: History) -> str:
    """Give a collector to the session. Refuses the 33rd with InvalidState."""
    held = sum(isinstance(thing, History) for thing in call.session.objects.values())
    if held >= PER_SESSION:
        raise faults.Fault(Data("InvalidState"), "The session has too many collectors.")
    return returned(call.session.keep(history.type, history), history.type)


@method("QueryEvents", on="EventManager", privilege="System.View")
async def query_events(call: Call) -> str:
    """Return the events that pass the filter, newest first."""
    spec = call.args.one("filter")
    if spec is None:
        raise faults.invalid_argument("filter")
    limit = checked(spec.number("maxCount") or _QUERIED, "filter.maxCount")
    return returned(_event_filter(call, spec).items()[-limit:][::-1], "Event")


@method("CreateCollectorForEvents", on="EventManager", privilege="System.View")
async def create_collector_for_events(call: Call) -> str:
    spec = call.args.one("filter")
    if spec is None:
        raise faults.invalid_argument("filter")
    history = History(_event_filter(call, spec), type_="EventHistoryCollector")
    size = spec.number("maxCount")
    if size is not None:
        history.set_page(checked(size, "filter.maxCount"))
    return _keep(call, history)


@method("LogUserEvent", on="EventManager")
async def log_user_event(call: Call) -> str:
    """Write a GeneralUserEvent on an entity."""
    ref, text = call.args.reference("entity"), call.args.value("msg") or ""
    entity = call.estate.inventory.find(ref)
    if entity is None:
        raise faults.not_found(ref or call.request.target)
    call.require("Global.LogEvent", entity)
    said = f"User logged event: {text}"
    call.estate.events.record(
        "GeneralUserEvent", entity, user=call.session.user, text=said, message=text, entity=any_argument(entity)
    )
    return ""


@method("CreateCollectorForTasks", on="TaskManager", privilege="System.View")
async def create_collector_for_tasks(call: Call) -> str:
    spec = call.args.one("filter")
    wanted = _task_filter(call, spec) if spec else TaskFilter(call.estate.tasks)
    return _keep(call, History(wanted, type_="TaskHistoryCollector"))


def _task_filter(call: Call, spec: Node) -> TaskFilter:
    by_entity, by_time = spec.one("entity"), spec.one("time")
    return TaskFilter(
        board=call.estate.tasks,
        entities=_entities(call, by_entity) if by_entity else None,
        time_type=(by_time.value("timeType") if by_time else None) or "queuedTime",
        period=_period(by_time),
        states=tuple(node.text for node in spec.all("state")),
        users=_users(spec.one("userName")),
        chains=tuple(int(node.text) for node in spec.all("eventChainId")),
    )


def _entities(call: Call, by_entity: Node) -> tuple[Entity, ...]:
    entity = _entity(call, by_entity)
    if entity is None:
        return ()
    below = tuple(call.estate.inventory.below(entity))
    return {"self": (entity,), "children": below, "all": (entity, *below)}[by_entity.value("recursion") or "self"]


def _history(call: Call) -> History:
    found = call.reader.find(call.request.target)
    if not isinstance(found, History):
        raise faults.not_found(call.request.target)
    return found


def _read(call: Call, item: str, *, forward: bool) -> str:
    history, count = _history(call), checked(call.args.number("maxCount"))
    return returned(history.next(count) if forward else history.previous(count), item)


@method("ReadNextEvents", on="EventHistoryCollector")
async def read_next_events(call: Call) -> str:
    return _read(call, "Event", forward=True)


@method("ReadPreviousEvents", on="EventHistoryCollector")
async def read_previous_events(call: Call) -> str:
    return _read(call, "Event", forward=False)


@method("ReadNextTasks", on="TaskHistoryCollector")
async def read_next_tasks(call: Call) -> str:
    return _read(call, "TaskInfo", forward=True)


@method("ReadPreviousTasks", on="TaskHistoryCollector")
async def read_previous_tasks(call: Call) -> str:
    return _read(call, "TaskInfo", forward=False)


@method("SetCollectorPageSize", on="HistoryCollector")
async def set_collector_page_size(call: Call) -> str:
    _history(call).set_page(checked(call.args.number("maxCount")))
    call.estate.inventory.changes.touch(call.request.target)
    return ""


@method("RewindCollector", on="HistoryCollector")
async def rewind_collector(call: Call) -> str:
    _history(call).rewind()
    return ""


@method("ResetCollector", on="HistoryCollector")
async def reset_collector(call: Call) -> str:
    _history(call).reset()
    return ""


@method("DestroyCollector", on="HistoryCollector")
async def destroy_collector(call: Call) -> str:
    _history(call)
    call.session.objects.pop(call.request.target, None)
    return ""
