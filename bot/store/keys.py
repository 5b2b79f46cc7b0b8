"""Every key name there is, as functions, each with the one room that writes it. No other module spells a key.

All names share the hash tag `{cm}`, so that scripts may touch several of them on a server that shards by tag.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "{cm}:"


def _key(*parts: str | int) -> str:
    return PREFIX + ":".join(str(part) for part in parts)


# ---- owner: bot.store
SCHEMA: Final = _key("schema")
"""Version of all this (string)."""

SCHEMA_LOCK: Final = _key("schema-lock")
"""String: who brings the data to a newer version; a minute at most."""

CLOCK_SKEW: Final = _key("clock-skew")
"""Milliseconds added to the server's clock. Tests set it, `doctor` reports it, nothing else knows it."""

CONFIRMED: Final = _key("confirmed")
"""Written after each durable change, for the place it has in the stream to replicas; its value means nothing."""


def blob(sha256: str) -> str:
    """Bytes on their way from one role to another; one hour."""
    return _key("blob", sha256)


# ---- owner: bot.jobs
READY: Final = _key("ready", "")
"""Prefix of `ready:<lane>` (zset): unclaimed jobs; the score is priority, round and arrival (scripts/ledger.lua)."""

TURNS: Final = _key("turns", "")
"""Prefix of `turns:<lane>` (hash): the round that each requester's latest waiting job belongs to; the one served."""

SEQUENCE: Final = _key("sequence")
"""Counter: which of two jobs of one round came first."""

HELD: Final = _key("held")
"""Hash: resources that start nothing, with the id of their hold."""

DELAYED: Final = _key("delayed")
"""Zset: jobs given back for a while, by the ms they are due."""

LEASE: Final = _key("lease")
"""Zset: claimed jobs, by the ms their lease ends."""

DRAFTS: Final = _key("drafts")
"""Zset: jobs that nobody approved yet, by the ms they expire."""

LANES: Final = _key("lanes")
"""Set: lanes that have or had ready jobs."""

JOBS: Final = _key("jobs")
"""Zset: all jobs that are kept, by the ms of their creation."""

LIVE: Final = _key("live")
"""Zset: jobs that have not ended, by the ms of their creation."""

DEAD: Final = _key("dead")
"""Zset: jobs that were given up, by the ms of that."""

EVENTS: Final = _key("ev")
"""Stream: one entry for every change of a job that somebody may wait for; trimmed."""

AUDIT: Final = _key("audit")
"""Stream: who did what, and how it ended; the latest 500,000 or so."""


def job(job_id: str) -> str:
    """Hash: the job, the truth about it; kept 90 days after its end."""
    return _key("job", job_id)


def hold(hold_id: str) -> str:
    """Hash: who holds what, since when and why; kept 90 days after its release."""
    return _key("hold", hold_id)


def chore(name: str) -> str:
    """String: the ms at which this is to be done again, by whoever asks first."""
    return _key("chore", name)


def ready(lane: str) -> str:
    """Zset: unclaimed jobs of a lane."""
    return READY + lane


def turns(lane: str) -> str:
    """Hash: whose turn it is in a lane."""
    return TURNS + lane


def slot(lane: str) -> str:
    """Set: jobs that hold a slot of the lane, whoever works on them."""
    return _key("slot", lane)


def vm(vm_key: str) -> str:
    """String: the live job of this VM (`<vcenter>:<uuid>`)."""
    return _key("vm", vm_key)


# ---- owner: bot.slack
OUTBOX: Final = _key("outbox")
"""Zset: what waits to be posted."""


def outbox(entry: str) -> str:
    """Hash: one thing to be posted."""
    return _key("outbox", entry)


def card(subject: str) -> str:
    """Hash: where the message of a job or an incident is."""
    return _key("card", subject)


WORKSPACE: Final = _key("workspace")
"""String: the workspace's address, as links to messages begin."""

CENSUS: Final = _key("census")
"""Hash: when the cards in Slack were last compared with what is here, by whom, and when what is here was seen."""

ERRANDS: Final = _key("errands")
"""Zset: what bots have to fetch from Slack, by the ms it is due; an errand under way, by when its lease ends."""


def errand(errand_id: str) -> str:
    """Hash: one errand; a day."""
    return _key("errand", errand_id)


def seen(kind: str, delivery: str) -> str:
    """String: this delivery was handled; one day. `seen:command:<id>` is written with the draft, by bot.jobs."""
    return _key("seen", kind, delivery)


# ---- owner: bot.vsphere
def inventory(vcenter: str) -> str:
    """Hash: who keeps the inventory of one vCenter, and in which state it is."""
    return _key("inv", vcenter)


def inventory_rows(vcenter: str) -> str:
    """Hash: a row for each VM of a vCenter."""
    return _key("inv", vcenter, "rows")


def inventory_changes(vcenter: str) -> str:
    """Stream: the latest changes of those rows."""
    return _key("inv", vcenter, "changes")


def inventory_hosts(vcenter: str) -> str:
    """String: the hosts of a vCenter as a watcher last read them."""
    return _key("inv", vcenter, "hosts")


# ---- owner: bot.logs
def feed(vcenter: str, host: str, log: str) -> str:
    """Stream: candidate lines of one host log."""
    return _key("feed", vcenter, host, log)


def cursor(vcenter: str, host: str, log: str) -> str:
    """Hash: how far one host log was read, and by whom."""
    return _key("cursor", vcenter, host, log)


def shard(name: int | str) -> str:
    """Hash: who reads this share of the hosts, or whose turn something is."""
    return _key("shard", name)


WATCHERS: Final = _key("watchers")
"""Zset: the watchers that live, by the ms of their last sign."""

WATCHED: Final = _key("watched")
"""Stream: candidate lines of all hosts, an entry for each look; trimmed."""


def watch_cursor(vcenter: str, host: str, log: str) -> str:
    """Hash: how far the watch has read one host log."""
    return _key("watch", vcenter, host, log)


def watch_tally(watcher: str) -> str:
    """Hash: how the watch of each host stands in one watcher; it ends soon after the watcher."""
    return _key("watch", watcher)


def log_budget(vcenter: str) -> str:
    """Hash: what is left of the calls for logs that a vCenter is asked."""
    return _key("log-budget", vcenter)


# ---- owner: bot.incidents
JUDGE: Final = _key("judge")
"""Hash: how far the fleet's stream was judged."""

INCIDENTS: Final = _key("incidents")
"""Zset: incidents that have not ended, and of the last day some that did, by the ms they were opened."""

INCIDENTS_ENDED: Final = _key("incidents", "ended")
"""Zset: incidents that ended, by the ms of that."""

MUTES: Final = _key("mutes")
"""Zset: mutes, by the ms they end."""

ALERTS: Final = _key("alerts")
"""Hash: where alerts go, and who said so."""


def incident(incident_id: str) -> str:
    """Hash: an incident; kept 90 days after its end."""
    return _key("incident", incident_id)


def mute(scope: str) -> str:
    """Hash: until when nothing is said of something, and who said so."""
    return _key("mute", scope)


def escalation(incident_id: str, sink: str) -> str:
    """Hash: what one sink was told of an incident; kept as long as the incident."""
    return _key("escalation", incident_id, sink)


def escalated(incident_id: str) -> str:
    """Set: the sinks that have to do with an incident; kept as long as the incident."""
    return _key("escalation", incident_id)


def escalations(sink: str) -> str:
    """Zset: the incidents of which a sink has to be told something, by the ms that is due; under way: by its lease."""
    return _key("escalations", sink)


def escalations_bell(sink: str) -> str:
    """List: wakes whoever serves the sink when something may be due."""
    return _key("escalation-bell", sink)


# ---- owner: bot.links
def link(name: str) -> str:
    """Zset: what was probed on one link, by the ms of the look; 30 days."""
    return _key("link", name)


def link_copies(name: str) -> str:
    """Zset: the copies across it that ended well, by the ms of their end; 30 days."""
    return _key("link", name, "copies")
