"""Methods around the service and its sessions: content, clock, login, logout, fencing, privileges."""

from __future__ import annotations

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.collector import DEFAULT_COLLECTOR, Collector
from bot.playground.vcenter.properties_service import service_content
from bot.playground.vcenter.sessions import Session
from bot.playground.vcenter.wire import Data


@method("RetrieveServiceContent", on="ServiceInstance", anybody=True)
async def retrieve_service_content(call: Call) -> str:
    return returned(service_content(call.estate), "ServiceContent")


@method("CurrentTime", on="ServiceInstance", privilege="System.View")
async def current_time(call: Call) -> str:
    return returned(call.estate.universe.clock(), "dateTime")


@method("Login", on="SessionManager", anybody=True)
async def login(call: Call) -> str:
    if call.reader.session is not None:
        raise faults.invalid_login("The session is already logged in.")
    user, password = call.args.value("userName") or "", call.args.value("password") or ""
    events, words = call.estate.events, {"address": call.address, "agent": call.agent}
    try:
        session = call.estate.sessions.login(user, password, agent=call.agent, address=call.address)
    except faults.Fault:
        events.record("BadUsernameSessionEvent", user=user, words=words, ipAddress=call.address)
        raise
    events.record(
        "UserLoginSessionEvent", user=session.user, words=words, ipAddress=call.address, userAgent=call.agent,
        locale="en", sessionId=session.key,
    )  # fmt: skip
    session.objects[DEFAULT_COLLECTOR] = Collector(DEFAULT_COLLECTOR)
    call.opened = session
    return returned(session.data, "UserSession")


@method("Logout", on="SessionManager")
async def logout(call: Call) -> str:
    session = call.session
    words = {"address": session.address, "agent": session.agent, "calls": session.calls, "since": session.login_time}
    call.estate.events.record(
        "UserLogoutSessionEvent", user=session.user, words=words, ipAddress=session.address, userAgent=session.agent,
        callCount=session.calls, sessionId=session.key, loginTime=session.login_time,
    )  # fmt: skip
    call.estate.sessions.end(session)
    return ""


@method("SessionIsActive", on="SessionManager", privilege="Sessions.ValidateSession")
async def session_is_active(call: Call) -> str:
    key, user = call.args.value("sessionID"), call.args.value("userName")
    active = any(session.key == key and session.user == user for session in call.estate.sessions.all())
    return returned(active, "boolean")


@method("TerminateSession", on="SessionManager", privilege="Sessions.TerminateSession")
async def terminate_session(call: Call) -> str:
    """End other sessions. Refuses one's own with InvalidArgument, an unknown key with NotFound."""
    open_now = {session.key: session for session in call.estate.sessions.all()}
    for node in call.args.all("sessionId"):
        if node.text == call.session.key:
            raise faults.invalid_argument("sessionId", "a session cannot terminate itself")
        _end(call, open_now.get(node.text))
    return ""


def _end(call: Call, session: Session | None) -> None:
    if session is None:
        raise faults.Fault(Data("NotFound"), "The session was not found.")
    call.estate.events.record(
        "SessionTerminatedEvent", user=call.session.user, words={"whose": session.user},
        sessionId=session.key, terminatedUsername=session.user,
    )  # fmt: skip
    call.estate.sessions.end(session)
