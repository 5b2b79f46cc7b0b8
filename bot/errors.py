"""The error tree. Every room translates foreign errors into these once; words for people are made at the edges.

The tree::

    ColdmigrateError
    ├── UserError       they can fix it: a sentence, and an example of what works
    ├── RefusedError    policy said no: who can lift it
    ├── OutsideError    the world failed
    │   ├── UnreachableError   no answer: connection refused, timed out, name unknown
    │   ├── LoginError         the world answered and does not let us in
    │   ├── MaybeSentError     a mutating call may or may not have reached the other side
    │   └── UnconfirmedError   a write was made, but not yet where it survives the loss of a machine
    └── BugError        a broken promise of our own: a reference to look for in the log
"""

from __future__ import annotations


class ColdmigrateError(Exception):
    """Root of all errors that this project raises on purpose. `str(error)` is a sentence for an operator."""


class UserError(ColdmigrateError):
    """The person can mend it. `example` is something that would have worked, or empty."""

    def __init__(self, message: str, *, example: str = "") -> None:
        super().__init__(message)
        self.example = example


class RefusedError(ColdmigrateError):
    """Policy said no. `lifted_by` names who can change that, in words."""

    def __init__(self, message: str, *, lifted_by: str = "") -> None:
        super().__init__(message)
        self.lifted_by = lifted_by


class OutsideError(ColdmigrateError):
    """The world failed. `transient`: the same call may succeed later; `retry_after`: seconds, if the world said so."""

    def __init__(self, message: str, *, transient: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.transient = transient
        self.retry_after = retry_after


class UnreachableError(OutsideError):
    """Nobody answered, and nothing was changed."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, transient=True, retry_after=retry_after)


class LoginError(OutsideError):
    """The other side answered and refused us: password, certificate, token."""


class MaybeSentError(OutsideError):
    """A mutating call was sent and its reply never came: it may have been carried out. Never repeat it blindly."""


class UnconfirmedError(OutsideError):
    """A write was made, and it is not known to survive the loss of the machine that took it. Asking again is safe."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, transient=True, retry_after=retry_after)


class BugError(ColdmigrateError):
    """A promise of our own code was broken."""
