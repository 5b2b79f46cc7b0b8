"""Redis' errors in our words, translated once. `where` never carries a password."""

from __future__ import annotations

from ssl import SSLCertVerificationError

from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ConnectionError,  # noqa: A004 - redis' own names
    MasterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004
)

from bot.errors import BugError, ColdmigrateError, LoginError, OutsideError, UnreachableError

Foreign = RedisError | OSError
"""What redis-py lets out: its own tree, and the socket's errors."""

FOREIGN = (RedisError, OSError)


_PASSING = ("MISCONF", "BUSY ")
"""Refusals that come from the server's state and not from what we asked."""

_ALONE = "NOREPLICAS"

_DEMOTED = ("UNBLOCKED", "WAIT cannot be used with", "WAITAOF cannot be used with replica")
"""What a server says that was the primary a moment ago."""


def lost(error: Foreign) -> bool:
    """No answer came: asking again may help."""
    reason = _reason(error)
    if isinstance(reason, AuthenticationError | AuthorizationError | SSLCertVerificationError):
        return False
    return isinstance(reason, ConnectionError | TimeoutError | OSError | ReadOnlyError) or _demoted(reason)


def cut_off(error: Foreign) -> bool:
    """The primary misses its replicas: they may have gone on without it."""
    return str(error).startswith(_ALONE)


def _demoted(reason: BaseException) -> bool:
    return isinstance(reason, ResponseError) and str(reason).startswith(_DEMOTED)


def _reason(error: BaseException) -> BaseException:
    """What lies under the ConnectionError that redis-py makes of any failure while it connects."""
    links = (error.__cause__, error.__context__)
    told = (ResponseError, AuthenticationError, AuthorizationError, BusyLoadingError, SSLCertVerificationError)
    return next((link for link in links if type(error) is ConnectionError and isinstance(link, told)), error)


def translate(error: Foreign, where: str) -> ColdmigrateError:
    """The error of our tree that says the same, with a sentence for an operator."""
    reason = _reason(error)
    text = str(reason) or "no reply in time"
    match reason:
        case SSLCertVerificationError():
            return LoginError(
                f"The certificate of Redis at {where} is not trusted ({reason.verify_message}). Check redis.ca_file."
            )
        case AuthenticationError() | AuthorizationError() | NoPermissionError():
            return LoginError(f"Redis at {where} does not let us in ({text}). Check the user and password of its URL.")
        case BusyLoadingError():
            return UnreachableError(f"Redis at {where} is still loading its data; try again in a moment.")
        case ResponseError():
            return _refused(reason, text, where)
        case ConnectionError() | TimeoutError() | OSError():
            return UnreachableError(f"Redis at {where} does not answer ({text}). Check that it runs and is reachable.")
        case _:
            return OutsideError(f"Redis at {where} answered with something unexpected: {text}")


def _refused(reason: ResponseError, text: str, where: str) -> ColdmigrateError:  # noqa: PLR0911 - a table
    match reason:
        case OutOfMemoryError():
            return OutsideError(
                f"Redis at {where} is full and took nothing. Raise its maxmemory or free space.", transient=True
            )
        case MasterDownError():
            return UnreachableError(f"Redis at {where} has lost its master; a failover may be under way.")
        case MovedError() | AskError():
            return OutsideError(f"Redis at {where} is one node of a cluster; its URL begins with redis+cluster://.")
        case _ if isinstance(reason, ReadOnlyError) or _demoted(reason):
            return UnreachableError(f"Redis at {where} is a replica and takes no writes; a failover may be under way.")
        case _ if text.startswith(_ALONE):
            return OutsideError(
                f"Redis at {where} has too few replicas for its min-replicas-to-write and takes no writes; "
                "bring a replica back.",
                transient=True,
            )
        case _ if text.startswith(_PASSING):
            return OutsideError(
                f"Redis at {where} cannot write to its disk and takes no writes: {text}", transient=True
            )
        case _ if "cluster support disabled" in text:
            return OutsideError(f"Redis at {where} is no cluster; its URL begins with redis://.")
        case _:
            return BugError(f"Redis at {where} refused a command of ours: {text}")
