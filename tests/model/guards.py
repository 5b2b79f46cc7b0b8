"""What protects a migration, each with a name, so that the search can be run with one of them taken away."""

from __future__ import annotations

from enum import StrEnum


class Guard(StrEnum):
    """The value is the sentence that people read."""

    FENCE = "Redis takes a write only with the fence of the last claim"
    FRESH_FENCE = "a fence is never given out twice, not even by a Redis that forgot"
    LEASE = "a claim ends by itself when nobody renews it"
    CANCEL_AT_INTENT = "the write of an intent obeys a cancel that came before it"
    INTENT_FIRST = "the intent is written before the call is made"
    SAME_SESSION = "the call goes through the session that its intent names, or not at all"
    ONE_SEND = "the call is put on the wire once, and never again by the connection"
    END_SESSION = "the session that may have called is ended before anything is decided"
    SETTLE = "after its end what it sent has time to land"
    LOOK_UP = "vCenter is asked for a task of ours"
    HISTORY = "the task history is asked, and not only the recent tasks"
    PATIENCE = "a person is asked only when waiting for vCenter can bring nothing more"
    PLACE = "the VM's real place decides the end, whatever the task says"
    TRACE = "a trace on the VM tells of the call"
    OWN_TRACE = "a worker takes away no other trace than its own"
    ADOPTED_ENDS_ALL = "what was taken up from its trace ends every writer session of ours: any of them may have called"
    ADOPTED_STARTS_NOTHING = "what was taken up from its trace alone is never started"
