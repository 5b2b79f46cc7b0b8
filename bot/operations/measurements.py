"""What was measured, as the diagnosis weighs it: each look says only what it can show by itself, with counts. Pure.

The bounds are stated here, one for each kind of look. A look that shows nothing either way says so and weighs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.diagnosis.causes import Basis, Cause
from bot.diagnosis.elimination import UplinkLook
from bot.diagnosis.measurements import Measurement, Says
from bot.migration.intervals import LEAST_LOST, exceeds, in_words
from bot.migration.measured import Connection, NicCounters, PathMeasurement, Pings, When, address_of, port_of
from bot.migration.path import Leg, PathKind
from bot.migration.size import gib

LOSS: Final = 0.001
"""The share of lost packets that ends copies sooner or later; the interval's lower bound has to be above it."""

_MANY: Final = 100
_MOST_PASS: Final = 0.5
_ICMP_ALONE: Final = 0.8  # a network may drop pings alone
_CLEAN_NOW: Final = 0.5  # no loss in some seconds says little of the second at which the copy died
_FEW_CLEAN: Final = 0.2
_SINCE_FREED: Final = 0.1  # what a failed copy had taken is deleted, and a log that says "no space" was there
_DAMAGED: Final = 0.001
_OPENING: Final = "SYN_SENT"
_UDT_PORT: Final = 8000
_NFC_PORT: Final = 902
_CHECK_OF_PORT: Final = {_NFC_PORT: "probe.902", _UDT_PORT: "probe.8000"}

USUAL_LIMITS: Final = tuple(timedelta(seconds=seconds) for seconds in (1800, 3600, 7200, 14400, 28800))
"""Ages at which firewalls and translators end TCP sessions as they are shipped."""

_NEAR_A_LIMIT: Final = timedelta(seconds=60)
_IDLE_LONG: Final = timedelta(seconds=3600)


def measurements_of(looks: Iterable[PathMeasurement], *, ahead: timedelta = timedelta()) -> tuple[Measurement, ...]:
    """All that these looks say, on the clock of the log lines, which is `ahead` of the one they were taken by."""
    return tuple(one for look in looks for one in _of_look(look, at=look.at + ahead))


def _of_look(look: PathMeasurement, *, at: datetime) -> Iterator[Measurement]:
    said = _Said(look, at)
    yield from said.loss(look.small, "small packets")
    if look.control is not None:
        yield from said.loss(look.control, "small packets on the control path")
    yield from said.size()
    yield from said.reach()
    yield from said.ports()
    yield from said.opening()
    yield from said.names()
    yield from said.cards()


@dataclass(frozen=True, slots=True)
class _Said:
    """One look, and the moment it was taken on the common clock."""

    look: PathMeasurement
    at: datetime

    def loss(self, pings: Pings | None, what: str) -> Iterator[Measurement]:
        """Lost packets; of a path that carries none at all `reach` speaks."""
        if pings is None or not pings.sent or not pings.received:
            return
        text = f"Loss of {what}: {in_words(pings.lost, pings.sent)}"
        if not pings.lost:
            weight = _CLEAN_NOW if pings.sent >= _MANY else _FEW_CLEAN
            yield self._says("probe.loss", text, {Cause.PACKET_LOSS: Says.REFUTES}, weight=weight)
        elif exceeds(pings.lost, pings.sent, LOSS):
            yield self._says("probe.loss", text, {Cause.PACKET_LOSS: Says.CONFIRMS})
        else:
            yield self._says("probe.loss", f"{text}: too few to tell", {})

    def size(self) -> Iterator[Measurement]:
        """Packets of full size that must not be fragmented, against small ones on the same path."""
        small, full = self.look.small, self.look.full
        if small is None or full is None or not full.sent or small.received < small.sent * _MOST_PASS:
            return
        if full.received:
            text = f"Packets of {full.size} bytes pass whole: {full.received} of {full.sent} came back"
            yield self._says("probe.mtu", text, {Cause.MTU_MISMATCH: Says.REFUTES}, weight=_ICMP_ALONE)
            return
        passes = self.look.passes_whole
        largest = f"; {passes} bytes is the largest tried that passes whole" if passes else ""
        text = (
            f"No packet of {full.size} bytes passes whole (0 of {full.sent} came back), while small ones do "
            f"({small.received} of {small.sent}){largest}"
        )
        yield self._says("probe.mtu", text, {Cause.MTU_MISMATCH: Says.CONFIRMS})

    def reach(self) -> Iterator[Measurement]:
        """Whether the predicted path carries anything at all; each leg for itself."""
        path = self.look.path
        if path is None:
            return
        legs = [(path.data, self.look.small)]
        legs += [(path.control, self.look.control)] if path.control != path.data else []
        for leg, pings in legs:
            if pings is not None and pings.sent:
                yield self._reached(leg, pings, is_udt=path.kind is PathKind.UDT and leg is path.data)

    def _reached(self, leg: Leg, pings: Pings, *, is_udt: bool) -> Measurement:
        way = f"{leg.source.device} {leg.source.address} to {leg.target.device} {leg.target.address}"
        named = Cause.UDT_PATH if is_udt else Cause.PROVISIONING_PATH
        check = "interface.vmotion" if is_udt else "interface.provisioning"
        if pings.received:
            text = f"The predicted interfaces reach each other, {way}"
            return self._says(check, text, {Cause.PROVISIONING_PATH: Says.REFUTES}, weight=_CLEAN_NOW)
        text = f"Nothing passes on the predicted path, {way}: 0 of {pings.sent} came back"
        shown = {Cause.PORT_BLOCKED: Says.CONFIRMS}
        if is_udt or _is_routed_apart(leg):
            shown = {named: Says.CONFIRMS}
        return self._says(check, text, shown, weight=_ICMP_ALONE)

    def ports(self) -> Iterator[Measurement]:
        """Listeners as the destination itself lists them; what is on the way to them this cannot show."""
        small, host = self.look.small, self.look.target_host
        answers = small is not None and small.received > 0
        for port, listens in sorted(self.look.listening.items()):
            blocked = Cause.UDT_PATH if port == _UDT_PORT else Cause.PORT_BLOCKED
            check = _CHECK_OF_PORT.get(port, "probe.902")
            if listens:
                yield self._listens(port, check, blocked, answers=answers)
            elif answers:
                text = f"{host} answers on the network, but nothing listens there on TCP {port}"
                yield self._says(
                    check, text, {blocked: Says.CONFIRMS, Cause.HOST_AGENT_DOWN: Says.CONFIRMS}, where=host
                )

    def _listens(self, port: int, check: str, blocked: Cause, *, answers: bool) -> Measurement:
        """With a listener and a network that carries packets, what keeps a connection away lies between the two.

        It does not speak for the agent: one that broke the copy by its restart is up again.
        """
        host = self.look.target_host
        text = f"{host} itself listens on TCP {port}"
        if not answers:
            return self._says(check, text, {}, where=host)
        text += (
            " and answers on the network: a connection to it that is refused or gets no answer ends between the hosts"
        )
        return Measurement(
            check=check,
            says=((blocked, Says.CONFIRMS),),
            text=text,
            at=self.at,
            where=host,
            weight=_CLEAN_NOW,
            basis=Basis.BOTH_ENDS,
        )

    def opening(self) -> Iterator[Measurement]:
        """Connections that wait for an answer to their first packet: nobody said yes or no."""
        for one in self.look.own_connections:
            port = port_of(one.foreign)
            if one.host == self.look.source_host and one.state == _OPENING and port in _CHECK_OF_PORT:
                yield self._waiting(one, port)

    def _waiting(self, one: Connection, port: int) -> Measurement:
        text = f"{one.host} was waiting for an answer from {one.foreign} ({one.state}, from {address_of(one.local)})"
        small = self.look.small
        if small is not None and small.received:
            text += f", while {small.received} of {small.sent} pings came back"
        shown = {Cause.UDT_PATH if port == _UDT_PORT else Cause.PORT_BLOCKED: Says.CONFIRMS}
        return self._says(_CHECK_OF_PORT[port], text, shown)

    def names(self) -> Iterator[Measurement]:
        """Whether the hosts find each other's address."""
        lost = [host for host, found in self.look.resolves.items() if not found]
        for host in lost:
            text = f"{host} finds no address for the other host's name"
            yield self._says("probe.dns", text, {Cause.DNS_RESOLUTION: Says.CONFIRMS}, where=host)
        if self.look.resolves and not lost:
            text = "Each host that was asked finds the other's address by its name"
            yield self._says("probe.dns", text, {Cause.DNS_RESOLUTION: Says.REFUTES}, weight=_ICMP_ALONE, where="")

    def cards(self) -> Iterator[Measurement]:
        """What uplinks counted between two looks: damage there is loss; none there says nothing of the way between."""
        if deltas := self.look.nic_deltas():
            damaged = [one for one in deltas if _is_damaged(one)]
            text = "; ".join(map(_counted, damaged)) if damaged else _all_counted(deltas)
            shown = {Cause.PACKET_LOSS: Says.CONFIRMS} if damaged else {}
            yield self._says("counters.nic", f"Uplinks: {text}", shown, weight=_CLEAN_NOW, where="both hosts")

    def _says(
        self, check: str, text: str, says: dict[Cause, Says], *, weight: float = 1.0, where: str | None = None
    ) -> Measurement:
        return Measurement(
            check=check,
            says=tuple(says.items()),
            text=text,
            at=self.at,
            where=f"from {self.look.source_host}{_WHEN[self.look.when]}" if where is None else where,
            weight=weight,
        )


_WHEN: Final = {When.BEFORE: ", before the copy", When.DURING: ", during the copy", When.AFTER: "", When.ASKED: ""}


def _is_routed_apart(leg: Leg) -> bool:
    """Whether an end is an interface for copies alone: a network of its own, which may lead nowhere."""
    return any("vSphereProvisioning" in (*vmk.services, vmk.netstack) for vmk in (leg.source, leg.target))


def _is_damaged(delta: NicCounters) -> bool:
    packets = delta.received + delta.sent
    return not delta.up or (delta.faults >= LEAST_LOST and delta.faults > packets * _DAMAGED)


def _counted(delta: NicCounters) -> str:
    link = "" if delta.up else ", link DOWN"
    return f"{delta.nic} of {delta.host} {delta.faults} errors and drops of {delta.received + delta.sent} packets{link}"


def _all_counted(deltas: Sequence[NicCounters]) -> str:
    packets, faults = sum(one.received + one.sent for one in deltas), sum(one.faults for one in deltas)
    cards = f"{len(deltas)} cards of {' and '.join(dict.fromkeys(one.host for one in deltas))}"
    return f"{faults} errors and drops of {packets} packets on {cards}"


def uplinks_of(looks: Sequence[PathMeasurement]) -> dict[str, UplinkLook]:
    """What the uplinks of each host tell, by the longest stretch of time that was counted."""
    first: dict[tuple[str, str], NicCounters] = {}
    last: dict[tuple[str, str], NicCounters] = {}
    for look in sorted(looks, key=lambda look: look.at):
        for nic in (*look.nics_before, *look.nics):
            first.setdefault((nic.host, nic.nic), nic)
            last[nic.host, nic.nic] = nic
    return {host: _uplinks(host, first, last) for host in dict.fromkeys(host for host, _ in last)}


def _uplinks(
    host: str, first: dict[tuple[str, str], NicCounters], last: dict[tuple[str, str], NicCounters]
) -> UplinkLook:
    mine = [name for name in last if name[0] == host]
    deltas = [delta for name in mine if (delta := last[name].since(first[name])) is not None]
    if any(last[name] is first[name] for name in mine) or len(deltas) < len(mine):
        return UplinkLook(None, f"the counters of {host} were read only once: what they counted lately is not known")
    damaged = [one for one in deltas if _is_damaged(one)]
    return UplinkLook(not damaged, "; ".join(_counted(one) for one in damaged or deltas))


def free_space(datastore: str, *, free: int, needed: int, at: datetime) -> Measurement:
    """The free space of the target now. Enough of it says little: what a failed copy had taken may be free again."""
    text = f"Datastore {datastore} has {gib(free)} free, and the copy needs {gib(needed)}"
    if free < needed:
        return Measurement(
            check="space.destination", says=((Cause.DEST_FULL, Says.CONFIRMS),), text=text, at=at, where="vCenter"
        )
    says = ((Cause.DEST_FULL, Says.REFUTES),)
    return Measurement(check="space.destination", says=says, text=text, at=at, where="vCenter", weight=_SINCE_FREED)


def session_age(
    *, began: datetime, broke: datetime, looks: Sequence[PathMeasurement], read: frozenset[str], is_udt: bool
) -> Measurement | None:
    """The age at which the session broke, where that says something: at an age at which firewalls end sessions, or a
    control session of UDT that had nothing to say for an hour.

    Only with both ends' logs read and a link that was measured clean: an age alone is a coincidence, and several
    failures of one age are what shows it for certain.
    """
    age = broke - began
    if not {"source", "destination"} <= read or not _clean(looks):
        return None
    limit = next((limit for limit in USUAL_LIMITS if abs(age - limit) <= _NEAR_A_LIMIT), None)
    if is_udt and age >= _IDLE_LONG:
        told = "the control session on TCP 902 had been silent since it began: UDT's data goes another way"
    elif limit is not None:
        told = f"firewalls are often set to end sessions at {limit.total_seconds():,.0f} s"
    else:
        return None
    old = f"at most {age.total_seconds():,.0f} s old"
    text = f"The session was {old} when it broke; {told}; the link was measured clean"
    return Measurement(
        check="path.idle_timers",
        says=((Cause.IDLE_TIMEOUT_RESET, Says.CONFIRMS),),
        text=text,
        at=broke,
        where="by the times of both hosts' logs",
        weight=0.75,
        basis=Basis.BOTH_ENDS,
    )


def _clean(looks: Sequence[PathMeasurement]) -> bool:
    """Whether the last look counted many packets and lost none, small and whole."""
    if not looks:
        return False
    last = max(looks, key=lambda look: look.at)
    pings = [one for one in (last.small, last.full) if one is not None and one.sent]
    return bool(pings) and last.small is not None and last.small.sent >= _MANY and not any(one.lost for one in pings)
