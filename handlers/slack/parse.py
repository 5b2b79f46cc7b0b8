"""From the text after /coldmigrate to one typed request. Pure: nothing that is named here is known to exist."""

from __future__ import annotations

import difflib
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.errors import UserError
from bot.migration.request import JobId
from bot.migration.start_time import goes_on, read_start
from bot.operations.option import Option, disk_label, pair
from bot.operations.port import BatchOrder, MigrateOrder
from handlers.slack.words import Word, split


@dataclass(frozen=True, slots=True)
class Migrate:
    order: MigrateOrder


@dataclass(frozen=True, slots=True)
class MigrateMany:
    """`order.list` is empty if the VMs are in a file, which is not here yet."""

    order: BatchOrder


@dataclass(frozen=True, slots=True)
class ListJobs:
    """The queue."""


@dataclass(frozen=True, slots=True)
class ShowJob:
    job: JobId


@dataclass(frozen=True, slots=True)
class CancelJob:
    job: JobId


@dataclass(frozen=True, slots=True)
class RetryJob:
    job: JobId


@dataclass(frozen=True, slots=True)
class HoldLink:
    ends: tuple[str, str]
    why: str


@dataclass(frozen=True, slots=True)
class ReleaseLink:
    ends: tuple[str, str]


@dataclass(frozen=True, slots=True)
class SendCanary:
    """`host`: the one that the canary goes to; None: whichever is found."""

    ends: tuple[str, str]
    host: str | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """`ends`: of the one link that is asked about; None: all."""

    ends: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """What this person may do."""


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing was typed after the command."""


Request = (
    Migrate
    | MigrateMany
    | ListJobs
    | ShowJob
    | CancelJob
    | RetryJob
    | HoldLink
    | ReleaseLink
    | SendCanary
    | HandOver
    | Help
    | Empty
)

COMMAND: Final = "/coldmigrate"
EXAMPLE: Final = f"{COMMAND} web01 site2"
_EXAMPLE_OF_LIST: Final = f"{COMMAND} @web-tier site2"
_ASIDE: Final = frozenset({"this", "these", "them", "it", "to", "please"})
"""Said to the bot, and no names."""

_JOB_ID: Final = re.compile(r"[a-z2-7]{8}")
_ALONE: Final[Mapping[str, Callable[[], Request]]] = {"list": ListJobs, "help": Help}
_ON_JOB: Final[Mapping[str, Callable[[JobId], Request]]] = {"show": ShowJob, "cancel": CancelJob, "retry": RetryJob}
_HOLD: Final = "hold"
_RELEASE: Final = "release"
_CANARY: Final = "canary"
_HANDOVER: Final = "handover"
_VERBS: Final = (*_ALONE, *_ON_JOB, _HOLD, _RELEASE, _CANARY, _HANDOVER)

_NETWORK: Final = "--network"
_AT: Final = "--at"
_DISK: Final = "--disk"
_PAIRED: Final = (_NETWORK, _DISK)
_VALUED: Final = ("--host", "--datastore", _DISK, _NETWORK, _AT)
_DRY_RUN: Final = "--dry-run"
_OPTIONS: Final = {option.typed: option for option in Option}
_FLAGS: Final = (_DRY_RUN, *_OPTIONS)
_EXAMPLES: Final = {
    "--host": f"{EXAMPLE} --host esx-01.example.net",
    "--datastore": f"{EXAMPLE} --datastore ds-c2-01",
    _NETWORK: f'{EXAMPLE} --network "VM Network=Production"',
    _AT: f'{EXAMPLE} --at "Sat 20:00"',
    _DISK: f'{EXAMPLE} --disk "Hard disk 2=ds-c2-02"',
    **{flag: f"{EXAMPLE} {flag}" for flag in _FLAGS},
}


def parse(text: str) -> Request:
    """What was asked for. UserError with a sentence, and where possible an example, for anything that is not clear."""
    words = split(text)
    if not words:
        return Empty()
    return _verb(words) or _migration(_read(words))


def parse_mention(text: str) -> Migrate | MigrateMany:
    """What stands behind "@coldmigrate migrate". With one name, which is the site, or none, the VMs are in a file."""
    draft = _read([word for word in split(text) if word.quoted or word.text.casefold() not in _ASIDE])
    if len(draft.names) > 1:
        return _migration(draft)
    if draft.names and _is_list(draft.names[0]):
        raise UserError(f"To which site should {draft.names[0].text} go?", example=_EXAMPLE_OF_LIST)
    site = draft.names[0].text.strip() if draft.names else ""
    return MigrateMany(BatchOrder(draft.order(vm="", site=site)))


def _migration(draft: _Draft) -> Migrate | MigrateMany:
    """One VM, or all of a saved list."""
    many = bool(draft.names) and _is_list(draft.names[0])
    vm, site = _vm_and_site([word.text for word in draft.names], many=many)
    if not many:
        return Migrate(draft.order(vm=vm, site=site))
    return MigrateMany(BatchOrder(draft.order(vm="", site=site), list=vm.removeprefix("@")))


def _is_list(word: Word) -> bool:
    return word.text.startswith("@") and not word.quoted


def _verb(words: list[Word]) -> Request | None:
    """The request if the first word is a verb; a quoted word never is."""
    verb, rest = words[0].text.casefold(), words[1:]
    if words[0].quoted or verb not in _VERBS:
        return None
    if verb in (_HOLD, _RELEASE):
        return _on_link(verb, [word.text.strip() for word in rest])
    if verb == _CANARY:
        return _canary(_read(rest))
    if verb == _HANDOVER:
        return _hand_over([word.text.strip() for word in rest])
    if verb in _ALONE:
        if not rest or verb == "help":
            return _ALONE[verb]()
        raise UserError(
            f"'{verb}' is a command and takes nothing after it. A VM of that name goes in quotes.",
            example=f'{COMMAND} "{verb}" {rest[0].text}',
        )
    if not rest:
        raise UserError(
            f"Which job? '{verb}' takes a job's id; 'list' shows them.", example=f"{COMMAND} {verb} k3q7m2xa"
        )
    if len(rest) > 1 or not _JOB_ID.fullmatch(rest[0].text.casefold()):
        raise UserError(
            f"'{verb}' is a command and takes one job id: eight letters and digits, as 'list' shows them. "
            "A VM of that name goes in quotes.",
            example=f'{COMMAND} {verb} k3q7m2xa, or {COMMAND} "{verb}" site2',
        )
    return _ON_JOB[verb](JobId(rest[0].text.casefold()))


def _on_link(verb: str, rest: list[str]) -> Request:
    ends, why = rest[:2], " ".join(rest[2:])
    if len(ends) < 2 or not all(ends) or (why and verb == _RELEASE):  # noqa: PLR2004 - a link has two ends
        raise UserError(
            f"'{verb}' is a command and takes the two sites of a link"
            + (", and why if you like" if verb == _HOLD else "")
            + ". A VM of that name goes in quotes.",
            example=f'{COMMAND} {verb} site1 site2, or {COMMAND} "{verb}" site2',
        )
    link = (ends[0], ends[1])
    return HoldLink(link, why) if verb == _HOLD else ReleaseLink(link)


def _hand_over(ends: list[str]) -> HandOver:
    if not ends:
        return HandOver()
    if len(ends) != 2 or not all(ends):  # noqa: PLR2004 - a link has two ends
        raise UserError(
            f"'{_HANDOVER}' is a command and takes the two sites of a link, or nothing. "
            "A VM of that name goes in quotes.",
            example=f'{COMMAND} {_HANDOVER} site1 site2, or {COMMAND} "{_HANDOVER}" site2',
        )
    return HandOver((ends[0], ends[1]))


def _canary(draft: _Draft) -> SendCanary:
    ends = [word.text.strip() for word in draft.names]
    if len(ends) != 2 or not all(ends) or draft.given - {"--host"}:  # noqa: PLR2004 - a link has two ends
        raise UserError(
            f"'{_CANARY}' is a command and takes the two sites of a link, and --host if you like. "
            "A VM of that name goes in quotes.",
            example=f'{COMMAND} {_CANARY} site1 site2, or {COMMAND} "{_CANARY}" site2',
        )
    return SendCanary((ends[0], ends[1]), draft.values.get("--host"))


@dataclass(slots=True)
class _Draft:
    """An order while its words are read."""

    names: list[Word] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    networks: dict[str, str] = field(default_factory=dict)
    disks: dict[str, str] = field(default_factory=dict)

    @property
    def given(self) -> set[str]:
        """The options that were given."""
        mapped = {_NETWORK: self.networks, _DISK: self.disks}
        return {*self.values, *(option for option, pairs in mapped.items() if pairs)}

    def set(self, option: str, value: str) -> None:
        if option in self.values:
            raise UserError(f"{option} was given twice. Once is enough.", example=_EXAMPLES[option])
        self.values[option] = value

    def map(self, option: str, value: str) -> None:
        if option == _NETWORK:
            pair(value, self.networks, option=option, example=_EXAMPLES[option])
            return
        label, sign, datastore = value.partition("=")
        pair(f"{disk_label(label)}{sign}{datastore}", self.disks, option=option, example=_EXAMPLES[option])

    def order(self, *, vm: str, site: str) -> MigrateOrder:
        return MigrateOrder(
            vm=vm,
            site=site,
            host=self.values.get("--host"),
            datastore=self.values.get("--datastore"),
            networks=self.networks,
            disk_datastores=self.disks,
            dry_run=_DRY_RUN in self.values,
            at=read_start(self.values[_AT]) if _AT in self.values else None,
        ).with_options({option: True for flag, option in _OPTIONS.items() if flag in self.values})


def _read(words: list[Word]) -> _Draft:
    draft = _Draft()
    rest = deque(words)
    while rest:
        word = rest.popleft()
        if word.text.startswith("-") and not word.quoted:
            _option(draft, word, rest)
        else:
            draft.names.append(word)
    return draft


def _option(draft: _Draft, word: Word, rest: deque[Word]) -> None:
    name, has_value, value = word.text.partition("=")
    name = name.casefold()
    if name in _FLAGS:
        if has_value:
            raise UserError(f"{name} takes no value.", example=_EXAMPLES[name])
        draft.set(name, "yes")
    elif name in _VALUED:
        value = value if has_value else _value(name, rest)
        if not value.strip():
            raise UserError(f"{name} needs a value.", example=_EXAMPLES[name])
        if name == _AT:
            value = _with_the_rest(value, rest)
        draft.map(name, value) if name in _PAIRED else draft.set(name, value)
    else:
        raise _unknown(name)


def _value(name: str, rest: deque[Word]) -> str:
    following = rest.popleft() if rest else Word("")
    if following.text.startswith("--") and not following.quoted:
        raise UserError(f"{name} needs a value before {following.text}.", example=_EXAMPLES[name])
    return following.text


def _with_the_rest(start: str, rest: deque[Word]) -> str:
    """A start time whose quotes were forgotten, with the words that can belong to nothing else."""
    while rest and not rest[0].quoted and goes_on(start, rest[0].text):
        start = f"{start} {rest.popleft().text}"
    return start


def _unknown(name: str) -> UserError:
    known = (*_VALUED, *_FLAGS)
    nearest = difflib.get_close_matches(f"--{name.lstrip('-')}", known, n=1, cutoff=0.7)
    meant = f" Did you mean {nearest[0]}?" if nearest else f" There are: {', '.join(known)}."
    return UserError(
        f"There is no option {name}.{meant}", example=_EXAMPLES.get(nearest[0], EXAMPLE) if nearest else EXAMPLE
    )


def _vm_and_site(names: list[str], *, many: bool) -> tuple[str, str]:
    if not names:
        raise UserError("Which VM, and to which site?", example=EXAMPLE)
    if len(names) == 1 and many:
        raise UserError(f"To which site should {names[0]} go?", example=_EXAMPLE_OF_LIST)
    if len(names) == 1:
        raise _one_name(names[0])
    if len(names) > 2:  # noqa: PLR2004 - a VM and a site
        raise UserError(
            f"One VM and one site, please; these are {len(names)} names. A name with blanks goes in quotes.",
            example=f'{COMMAND} "{" ".join(names[:-1])}" {names[-1]}',
        )
    vm, site = (name.strip() for name in names)
    if not vm or not site:
        raise UserError("A name in quotes is empty.", example=EXAMPLE)
    return vm, site


def _one_name(name: str) -> UserError:
    nearest = difflib.get_close_matches(name.casefold(), _VERBS, n=1, cutoff=0.75)
    if nearest:
        return UserError(f"To which site? Or did you mean '{nearest[0]}'?", example=f"{COMMAND} {nearest[0]}")
    return UserError(f"To which site should '{name}' go?", example=f"{COMMAND} {_again(name)} site2")


def _again(name: str) -> str:
    return f'"{name}"' if any(character.isspace() for character in name) else name
