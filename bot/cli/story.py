"""Plays the story of the demo without a person, as a person would: types, reads, clicks. And checks that it is true.

A referee that is not the bot (the simulated vCenter's own inventory) says where the VMs are; a story is told well only
if both agree.
"""

from __future__ import annotations

from typing import Final

from bot.cli.alert_act import AlertAct
from bot.cli.tale import CHANNEL, PATIENCE, Json, payload_of, words_of

# The vpxa log of "Timeouts during a cold migration" (2012), where it all began; shortened.
PASTED: Final = """\
[2012-03-14 16:31:45.288 1C69CB90 warning 'Libs' opID=C65743A5-0000024D-5c] [NFC ERROR] NfcNetTcpWrite: bWritten: -1
[2012-03-14 16:31:45.288 1C69CB90 warning 'Libs' opID=C65743A5-0000024D-5c] [NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes
[2012-03-14 16:31:45.324 1C69CB90 error 'App' opID=C65743A5-0000024D-5c] [VpxNfcClient] File transfer  failed:
"""  # noqa: E501 - lines of a log


class Story(AlertAct):
    """What has been built, from a migration that succeeds to an alert of somebody else's that failed."""

    async def play(self) -> list[str]:
        """All acts. What is returned is what did not happen as it should; empty means that all of it did."""
        await self._a_migration_that_succeeds()
        await self._a_migration_that_dies()
        await self._a_question_about_a_vm()
        await self._a_log_that_was_pasted()
        await self._an_alert()
        return self.wrong

    async def _a_migration_that_succeeds(self) -> None:
        self._title("web01 goes to site2")
        thread = await self._migrate("web01", "site2")
        self._check("is at site2" in words_of(thread[-1]), "the thread of web01 does not say that it is at site2")
        place = await self.where("web01")
        self._check(place.site == "site2", f"web01 is at {place.site}, not at site2")

    async def _a_migration_that_dies(self) -> None:
        self._title("db01 goes to site2 as well, and the provider's switches begin to drop packets")
        before = await self.where("db01")
        thread = await self._migrate("db01", "site2")
        said = "\n".join(words_of(message) for message in thread)
        self._check("packet loss" in said, "the thread of db01 does not name packet loss")
        self._check("NFC ERROR" in said, "the thread of db01 shows no log line")
        self._check("intact at its source" in said, "the thread of db01 does not say where the VM is")
        for way in ("Converter", "FastSCP", "SSH"):
            self._check(way in said, f"the thread of db01 does not offer {way}")
        after = await self.where("db01")
        self._check(after == before, f"db01 was at {before} and is at {after}")
        await self._check_told_in_its_thread_alone(thread[0]["ts"], "db01")

    async def _a_question_about_a_vm(self) -> None:
        self._title("carol, who is on call, asks why db01 failed")
        seen = {message["ts"] for message in await self.slack.history(CHANNEL)}
        line = "/diagnose db01"
        self.say(f"carol types: {line}")
        outcome = await self.slack.command("carol", CHANNEL, line)
        self.say(f"only carol reads: {outcome.text or outcome.error}\n")
        ts = await self.slack.wait_for(lambda: self._new_card(seen), PATIENCE)
        await self._diagnosed(ts, "db01")

    async def _a_log_that_was_pasted(self) -> None:
        self._title("bob pastes lines of another log, and carol takes 'Diagnose this log' in the message's menu")
        ts = await self.slack.post("bob", CHANNEL, f"```{PASTED}```")
        await self.slack.message_shortcut("carol", CHANNEL, ts, "cm.diagnose-log")
        await self._diagnosed(ts, "the pasted log")

    async def _diagnosed(self, ts: str, what: str) -> None:
        """Wait for the verdict in the thread, print it, and check that it is the right one."""
        await self.slack.wait_for(lambda: self._verdict(ts), PATIENCE)
        self.say(await self._shown(ts))
        said = words_of(await self._verdict(ts) or {})
        self._check("packet loss" in said, f"the diagnosis of {what} does not name packet loss")

    async def _verdict(self, ts: str) -> Json | None:
        """The answer of a diagnosis, once its card says so as well."""
        thread = await self.slack.thread(CHANNEL, ts)
        found = {str(payload_of(message).get("reply")): message for message in thread}
        cards = [message for message in thread if payload_of(message).get("of") == "inquiry"]
        answered = cards and not cards[-1]["text"].endswith(": under way")
        return found.get("verdict") if answered else None
