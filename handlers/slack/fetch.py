"""From an errand to a question: what was asked, which logs are meant, and where the answer belongs.

Rights come first: nothing is fetched for somebody who may not ask. What may not live here: leases and tries
(`errands`), and reading a log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, assert_never

from bot.errors import ColdmigrateError, RefusedError, UserError
from bot.incidents.incident import IncidentId
from bot.operations.port import Answer, Person, Question, Verbs
from bot.slack.blocks import ButtonSpec, Layout
from bot.slack.port import Errand, ErrandKind, SlackFiles, Threads, Whispers
from handlers.slack.boundary import as_message, in_words
from handlers.slack.fetch_list import fetch_list
from handlers.slack.material import Part, as_pasted, is_log, named_as_log, packed, require_log
from handlers.slack.parse import Migrate, MigrateMany, parse_mention
from handlers.slack.parse_diagnose import Asked
from handlers.slack.parse_diagnose import parse_mention as parse_question

OFFER: Final = "cm.diagnose-file"
"""The action_id of the button that takes up an offer; its value is "<message> <thread>"."""

MOST_FILES: Final = 10
_ARCHIVE: Final = 64 * 1024
"""What packing several logs into one archive may add."""

_NOTHING: Final = Answer("")
_ASIDE: Final = frozenset({"this", "that", "it", "these", "the", "log", "logs", "file", "files", "thread", "please"})
_HELP: Final = Answer(
    "I say why copies of VMs failed. Ask me here, or drop a log in a message to me:",
    (
        "@coldmigrate diagnose                     the logs in this thread, or the migration whose card it is",
        "@coldmigrate diagnose web01 --since 2h    a VM, a host, a job, a task or an opID",
        "/diagnose web01 --since 2h                the same, outside of threads",
        "@coldmigrate migrate site2                the VMs of a CSV in your message, or in this thread",
        "/coldmigrate help                         all that you may do",
    ),
)
_NO_LOG: Final = "There is neither a log nor a file with one {where}."


class NotYetError(ColdmigrateError):
    """Slack does not know yet what it told us of: soon it will."""


class Fetcher:
    """Carries errands out. `keep` remembers another errand that one leads to; `at_most` are bytes for one question.

    `watched`: channels in which a log that somebody drops is a question; elsewhere its owner is asked.
    """

    def __init__(
        self,
        verbs: Verbs,
        files: SlackFiles,
        threads: Threads,
        whispers: Whispers,
        *,
        keep: Callable[[Errand], Awaitable[object]],
        at_most: int,
        watched: Collection[str] = (),
    ) -> None:
        self._verbs = verbs
        self._files = files
        self._threads = threads
        self._whispers = whispers
        self._keep = keep
        self._at_most = at_most
        self._watched = frozenset(watched)

    async def carried_out(self, errand: Errand) -> Answer:
        """What whoever asked should read beside the diagnosis itself; often nothing.

        NotYetError and transient OutsideErrors are worth another try.
        """
        match errand.kind:
            case ErrandKind.SHORTCUT:
                return await self._shortcut(errand)
            case ErrandKind.MENTION:
                return await self._mention(errand)
            case ErrandKind.DROP if errand.asked:
                return await self._taken_up(errand)
            case ErrandKind.DROP if not errand.ts:
                return await self._dropped(errand)
            case ErrandKind.DROP:
                return await self._noticed(errand)
            case other:
                assert_never(other)

    async def _shortcut(self, errand: Errand) -> Answer:
        await self._verbs.may_diagnose(_person(errand), errand.channel)
        pasted = as_pasted(errand.text)
        texts = [pasted] if is_log(pasted, asked=True) else []
        return await self._ask_about(errand, texts, errand.files, where="in this message")

    async def _mention(self, errand: Errand) -> Answer:
        wanted, listed = _order(errand.text, "migrate")
        if wanted is not None:
            return await self._migrate(errand, wanted, listed)
        words, below = _order(errand.text, "diagnose")
        own = as_pasted(below)
        texts = [own] if is_log(own, asked=words is not None) else []
        if words is None and not (_is_direct(errand) and (texts or errand.files)):
            return _HELP
        asked = _asked(words or "")
        await self._verbs.may_diagnose(_person(errand), errand.channel)
        if asked.name:
            return await self._ask(errand, Question(errand.channel, typed=asked.name, since=asked.since))
        if not texts and not errand.files and errand.thread:
            return await self._thread(errand, asked)
        return await self._ask_about(errand, texts, errand.files, where="in this message", since=asked.since)

    async def _migrate(self, errand: Errand, words: str, below: str) -> Answer:
        """One VM, a saved list, or the VMs of a file or of the lines below."""
        who, dedupe = _person(errand), f"errand-{errand.id}"
        match parse_mention(words):
            case Migrate(order=order):
                return await self._verbs.migrate(who, errand.channel, order, dedupe=dedupe)
            case MigrateMany(order=many) if many.list:
                return await self._verbs.migrate_many(who, errand.channel, many, dedupe=dedupe)
            case MigrateMany(order=many):
                await self._verbs.may_migrate(who, errand.channel)
                name, data = await fetch_list(self._files, self._threads, errand, below)
                whole = replace(many, file=data, file_name=name)
                return await self._verbs.migrate_many(who, errand.channel, whole, dedupe=dedupe)

    async def _thread(self, errand: Errand, asked: Asked) -> Answer:
        """The migration whose card begins the thread, or what people put into it."""
        said = await self._threads.read(errand.channel, errand.thread)
        if said and said[0].job:
            return await self._ask(errand, Question(errand.channel, typed=said[0].job, since=asked.since))
        if said and said[0].incident:
            incident = IncidentId(said[0].incident)
            return await self._verbs.diagnose_incident(_person(errand), incident, dedupe=f"errand-{errand.id}")
        others = [one for one in said if not one.ours]
        pasted = (as_pasted(one.text) for one in others)
        texts = [text for text in pasted if is_log(text, asked=False)]
        files = [file for one in others for file in one.files]
        return await self._ask_about(errand, texts, files, where="in this thread", since=asked.since)

    async def _dropped(self, errand: Errand) -> Answer:
        """A file appeared in a channel: find its message, which is the errand; it may carry several."""
        file = await self._files.look(errand.files[0], channel=errand.channel)
        if not named_as_log(file.name):
            return _NOTHING
        if not file.message:
            raise NotYetError(f"Slack does not say yet where {file.name} was dropped.")
        one = await self._threads.message(errand.channel, file.message, thread=file.thread)
        if one is None:
            raise NotYetError(f"Slack does not show yet the message with {file.name}.")
        if not (one.by_app or one.to_us):  # what is said to us comes as a mention
            noticed = replace(errand, id=f"drop-{errand.channel}-{one.ts}", ts=one.ts, thread=file.thread)
            await self._keep(replace(noticed, files=one.files or errand.files, user=one.user or errand.user))
        return _NOTHING

    async def _noticed(self, errand: Errand) -> Answer:
        """Nobody asked us: where logs are dropped for us we begin, elsewhere their owner is asked, if they may."""
        watched = errand.channel in self._watched
        try:
            await self._verbs.may_diagnose(_person(errand), errand.channel)
        except RefusedError as error:
            if watched:
                await self._whisper(errand, in_words(error))
            return _NOTHING
        if watched:
            return await self._ask_about(errand, [], errand.files, where="in this message")
        await self._offer(errand)
        return _NOTHING

    async def _taken_up(self, errand: Errand) -> Answer:
        await self._verbs.may_diagnose(_person(errand), errand.channel)
        one = await self._threads.message(errand.channel, errand.ts, thread=errand.thread)
        return await self._ask_about(errand, [], one.files if one else (), where="in that message any more")

    async def _ask_about(
        self, errand: Errand, texts: Sequence[str], files: Iterable[str], *, where: str, since: timedelta | None = None
    ) -> Answer:
        """One question about all of it, and a word on what had to be left out."""
        parts = [Part("", "\n".join(texts).encode(errors="replace"))] if texts else []
        left_out = await self._fetch(errand.channel, list(dict.fromkeys(files)), into=parts)
        if not parts:
            if len(left_out) == 1:
                raise left_out[0]
            raise UserError("\n".join(map(str, left_out)) or _NO_LOG.format(where=where))
        whole = packed(parts)
        question = Question(errand.channel, material=whole.data, file_name=whole.name, since=since)
        answer = await self._ask(errand, question)
        if left_out:
            return Answer("\n".join([answer.text, "Left out:", *map(str, left_out)]).strip())
        return answer

    async def _ask(self, errand: Errand, question: Question) -> Answer:
        """In the thread of the message. The card there is answer enough, unless the errand began elsewhere."""
        placed = replace(question, thread=errand.thread or errand.ts)
        answer = await self._verbs.diagnose(_person(errand), placed, dedupe=f"errand-{errand.id}")
        return answer if errand.response_url else _NOTHING

    async def _fetch(self, channel: str, files: Sequence[str], *, into: list[Part]) -> list[UserError]:
        """Add what can be read to `into`, and tell of the rest."""
        left_out: list[UserError] = []
        room = self._at_most - sum(len(part.data) for part in into) - (_ARCHIVE if len(files) + len(into) > 1 else 0)
        for file_id in files[:MOST_FILES]:
            try:
                file = await self._files.look(file_id, channel=channel)
                part = Part(file.name, await self._files.fetch(file, at_most=room))
                require_log(part)
            except UserError as error:
                left_out.append(error)
                continue
            into.append(part)
            room -= len(part.data)
        if len(files) > MOST_FILES:
            left_out.append(UserError(f"{len(files) - MOST_FILES} more files: I take {MOST_FILES} at once."))
        return left_out

    async def _offer(self, errand: Errand) -> None:
        """To whoever dropped it, and to nobody else."""
        many = len(errand.files) > 1
        layout = Layout()
        layout.paragraph(
            f"Shall I say what went wrong, by {'these files' if many else 'this file'}? Only you see this."
        )
        label = "Diagnose these files" if many else "Diagnose this file"
        layout.actions([ButtonSpec(OFFER, label, f"{errand.ts} {errand.thread}".strip(), style="primary")])
        await self._whispers.whisper(
            errand.user, errand.channel, thread=errand.thread, text=label, blocks=layout.blocks
        )

    async def _whisper(self, errand: Errand, answer: Answer) -> None:
        shown = as_message(answer)
        await self._whispers.whisper(
            errand.user, errand.channel, thread=errand.thread, text=shown["text"], blocks=shown["blocks"]
        )


def _order(text: str, verb: str) -> tuple[str | None, str]:
    """What stands behind `verb` on its line, and what stands below it. None: that word does not come first."""
    head, _, below = text.strip().partition("\n")
    head, fence, beside = head.partition("```")
    first, _, words = head.strip().partition(" ")
    if first.strip(":,.!").casefold() != verb:
        return None, text
    return words, f"{fence}{beside}\n{below}"


def _asked(words: str) -> Asked:
    """What stands behind `diagnose`; "this", "the log please" and the like are no names."""
    bare = [word for word in words.split() if word.strip(":,.!?").casefold() not in _ASIDE]
    return parse_question(words) if bare else Asked()


def _is_direct(errand: Errand) -> bool:
    return errand.channel.startswith("D")


def _person(errand: Errand) -> Person:
    return Person(user_id=errand.user, channel=errand.channel)
