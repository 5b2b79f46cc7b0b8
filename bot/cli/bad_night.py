"""The story of a bad night, told without a person: a large copy starves and dies, the link holds itself, the outage is
ended, the network team gets its evidence, and somebody takes over. Checked against the simulated vCenter's inventory.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from functools import partial
from typing import Final

from bot.cli.tale import CHANNEL, PATIENCE, Json, Tale, Whereabouts, payload_of, words_of

LARGE: Final = "files02"
WAITING: Final = ("web01", "cache01", "report01")


class BadNight(Tale):
    """All of DESIGN's bad night, in its order."""

    async def play(self) -> list[str]:
        """What is returned is what did not happen as it should; empty means that all of it did."""
        await self._an_evening_copy()
        before = {vm: await self.where(vm) for vm in (LARGE, *WAITING)}
        card, *waiting = await self._four_copies()
        await self._the_rate_sinks(card)
        await self._the_copy_dies(card, before)
        await self._the_link_holds_itself(waiting, before)
        await self._the_outage_ends(card)
        await self._evidence(card)
        await self._somebody_takes_over()
        await self._check_told_in_its_thread_alone(card, LARGE)
        return self.wrong

    async def _an_evening_copy(self) -> None:
        self._title("The evening before: a copy goes well, and the link has a usual rate")
        await self._migrate("mail01", "site2")

    async def _four_copies(self) -> list[str]:
        """One that starts, and three for which the link has no slot meanwhile."""
        self._title(f"{LARGE} and three more are approved; the link has one slot")
        cards = [await self._planned(vm, "site2") for vm in (LARGE, *WAITING)]
        for ts in cards:
            await self._approve(ts)
        return cards

    async def _the_rate_sinks(self, ts: str) -> None:
        self._title(f"01:40, {LARGE} is past 60 %, and the rate sinks")
        await self.slack.wait_for(lambda: self._says(ts, "% of the usual"), PATIENCE)
        await self.slack.wait_for(lambda: self._says(ts, "No progress for"), PATIENCE)
        self.say(await self._shown(ts))

    async def _the_copy_dies(self, ts: str, before: dict[str, Whereabouts]) -> None:
        self._title("01:42, the copy dies")
        first = await self.slack.wait_for(lambda: self._reply(ts, "failed"), PATIENCE)
        self._check("intact at its source" in words_of(first), f"the first word does not say where {LARGE} is")
        await self.slack.wait_for(lambda: self._ended(ts), PATIENCE)
        self.say(await self._shown(ts))
        await self._check_thread(ts)
        place = await self.where(LARGE)
        self._check(place == before[LARGE], f"{LARGE} was at {before[LARGE]} and is at {place}")

    async def _check_thread(self, ts: str) -> None:
        thread = await self.slack.thread(CHANNEL, ts)
        kinds = [str(payload_of(message).get("reply")) for message in thread]
        order = ["failed", "end", "verdict", "table", "ways"]
        told = [kind for kind in kinds if kind in order]
        self._check(told == order, f"the thread tells {told}, and not where it is, what now, why, the table, the ways")
        said = "\n".join(map(words_of, thread))
        for part in ("A retry starts at 0 %", "Left behind", "packet loss", "path between the hosts", "SendQ"):
            self._check(part in said, f"the thread of {LARGE} does not say {part!r}")
        self._check(any(kind.startswith("flow-") for kind in kinds), "nothing was said of the flow while it starved")

    async def _the_link_holds_itself(self, cards: Sequence[str], before: dict[str, Whereabouts]) -> None:
        self._title("01:43, the link holds itself; three more VMs wait, untouched")
        for ts in cards:
            await self.slack.wait_for(partial(self._says, ts, "is held"), PATIENCE)
        hold = await self.slack.wait_for(self._hold, PATIENCE)
        self.say(await self._shown(str(hold["ts"])))
        self._check(all(vm in words_of(hold) for vm in WAITING), "the card of the hold does not list what waits")
        for vm in WAITING:
            place = await self.where(vm)
            self._check(place == before[vm], f"{vm} was at {before[vm]} and is at {place}")

    async def _the_outage_ends(self, ts: str) -> None:
        self._title("01:45, carol ends the outage first")
        self._check((await self.where(LARGE)).power == "poweredOff", f"{LARGE} is on before anybody asked for it")
        self.say("carol clicks [Power on at source]")
        await self.slack.click("carol", CHANNEL, ts, "cm.power-on-source")
        done = await self.slack.wait_for(lambda: self._reply(ts, "power-on-source"), PATIENCE)
        self.say(f"the thread: {done['text']}")
        self._check((await self.where(LARGE)).power == "poweredOn", f"{LARGE} is not on at its source")

    async def _evidence(self, ts: str) -> None:
        self._title("01:50, the network team wants more than a log")
        self.say("carol clicks [Evidence pack]")
        await self.slack.click("carol", CHANNEL, ts, "cm.evidence")
        said = await self.slack.wait_for(lambda: self._reply(ts, "evidence"), PATIENCE)
        self.say(words_of(said).partition("\n")[0])
        page, archive = [await self._file(ts, ending) for ending in (".html", ".zip")]
        text = page.decode()
        for part in ("What we ask you to check", "95 % CI", "Controls", "pktcap-uw", "10.", "UTC"):
            self._check(part in text, f"the page does not have {part!r}")
        self._check("proof" not in text.casefold() and "prove" not in text.casefold(), "the page claims a proof")
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names = {name.rpartition("/")[2] for name in opened.namelist()}
        self.say(f"in the .zip: {', '.join(sorted(names))}")
        wanted = {"measurements.csv", "link-history.csv", "log-lines.txt", "diagnosis.json", "link.png"}
        self._check(wanted <= names, f"the .zip lacks {sorted(wanted - names)}")

    async def _somebody_takes_over(self) -> None:
        self._title("05:30, bob takes over")
        line = "/coldmigrate handover"
        self.say(f"bob types: {line}")
        outcome = await self.slack.command("bob", CHANNEL, line)
        said = words_of(outcome.ack or {})
        self.say(f"only bob reads: {_paragraphs(outcome.ack or {}) or outcome.error}\n")
        for part in (LARGE, "packet loss", "Held since", "web01", "Power on at source", "Open:"):
            self._check(part in said, f"the hand-over does not say {part!r}")

    # ---- what is looked for

    async def _says(self, ts: str, text: str) -> bool:
        return text in words_of(await self.slack.message(CHANNEL, ts))

    async def _reply(self, ts: str, kind: str) -> Json | None:
        """The reply of this kind; those of an act end with its job."""
        thread = await self.slack.thread(CHANNEL, ts)
        return next((one for one in thread if str(payload_of(one).get("reply")).startswith(kind)), None)

    async def _hold(self) -> Json | None:
        history = await self.slack.history(CHANNEL)
        return next((one for one in history if "is held" in one.get("text", "") and "web01" in words_of(one)), None)

    async def _file(self, ts: str, ending: str) -> bytes:
        """What carol downloads from the thread."""

        async def found() -> str | None:
            thread = await self.slack.thread(CHANNEL, ts)
            whole = [await self.slack.message(CHANNEL, message["ts"]) for message in thread]
            files = [file for message in whole for file in message.get("files", ())]
            named = (file for file in files if "-evidence-" in str(file.get("name", "")))
            return next((str(file["id"]) for file in named if str(file["name"]).endswith(ending)), None)

        _, data = await self.slack.download("carol", await self.slack.wait_for(found, PATIENCE))
        return data


def _paragraphs(message: Json) -> str:
    """What is shown of an answer, whole; the text for notifications may be cut."""
    texts = (block.get("text", {}).get("text", "") for block in message.get("blocks", ()))
    return "\n".join(filter(None, texts))
