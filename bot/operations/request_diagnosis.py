"""Request a diagnosis: check the right, keep the material, write the draft, show its card. Nothing is diagnosed here.

Rights go by site. Where a VM is and whose a migration is, the bot knows; what a host, a task or an opID belongs to it
does not, and so those are for whoever may diagnose everywhere.
"""

from __future__ import annotations

import re
from typing import Final

from bot.errors import RefusedError
from bot.migration.request import JobId, SiteName
from bot.operations.counter import Counter, require_place, site_of
from bot.operations.inquiry import Inquiry, SubjectKind, inquiry_job
from bot.operations.port import Answer, Person, Question
from bot.operations.record import MIGRATE
from bot.operations.rights import Verb
from bot.slack.port import InquiryCard, InquiryStep, StepState

_JOB_ID: Final = re.compile(r"[a-z2-7]{8}")
_WAITING: Final = InquiryStep("Waiting for a worker", StepState.RUNNING)


async def may_diagnose(counter: Counter, who: Person, channel: str) -> None:
    """Pass if they may diagnose at some site and be answered in `channel`. RefusedError or UserError if not."""
    await counter.rights.require(who, Verb.DIAGNOSE, None)
    await require_place(counter.channels, who, channel)


async def request_diagnosis(counter: Counter, who: Person, question: Question, *, dedupe: str) -> Answer:
    """Draft what was asked. RefusedError for rights, UserError where the bot could not answer.

    The material is kept before the draft that names it: a worker may take that at once.
    """
    await may_diagnose(counter, who, question.channel)
    if question.typed:
        await _require_subject(counter, who, question.typed)
    return await draft_diagnosis(counter, who, question, dedupe=dedupe)


async def draft_diagnosis(counter: Counter, who: Person, question: Question, *, dedupe: str) -> Answer:
    """The same for somebody whose right was checked already, by what they ask about."""
    inquiry = await _inquiry(counter, question)
    drafted = await counter.queue.draft(inquiry_job(inquiry, requester=who.user_id, dedupe=dedupe))
    await counter.outbox.show_inquiry(_first_look(drafted.id, who, inquiry), first=True)
    where = "in the thread" if question.thread else "here, as a message of its own"
    return Answer(f"Looking into {inquiry.subject}: diagnosis {drafted.id}. The answer comes {where}.")


async def _inquiry(counter: Counter, question: Question) -> Inquiry:
    if question.typed:
        return Inquiry(
            SubjectKind.NAME, question.channel, typed=question.typed, since=question.since, thread=question.thread
        )
    return Inquiry(
        SubjectKind.FILE if question.file_name else SubjectKind.TEXT,
        question.channel,
        blob=await counter.shelve(question.material),
        file_name=question.file_name,
        since=question.since,
        thread=question.thread,
    )


async def _require_subject(counter: Counter, who: Person, typed: str) -> None:
    """RefusedError if what was typed is, or may be, at a site that is not theirs."""
    sites = await _sites_of(counter, typed)
    may = await counter.rights.sites(who, Verb.DIAGNOSE)
    if sites and not any(map(may, sites)):
        await counter.rights.require(who, Verb.DIAGNOSE, min(sites))
    if not sites and (closed := [site for site in sorted(counter.sites) if not may(site)]):
        raise RefusedError(
            f"'{typed}' is no VM or migration that I know. Hosts, tasks and opIDs may belong to any site, and you "
            f"({who.user_id}) may not ask for diagnoses to {', '.join(closed)}.",
            lifted_by="the people who keep coldmigrate.toml",
        )


async def _sites_of(counter: Counter, typed: str) -> set[SiteName]:
    """The sites of the migration or of the VMs that this names; none if it names neither."""
    if _JOB_ID.fullmatch(typed) and (job := await counter.queue.get(JobId(typed))) and job.kind == MIGRATE:
        return {site_of(job)}
    here = {(vm.ref.vcenter, vm.site_hint) for vm in await counter.inventory.find(typed)}
    return {site.name for site in counter.sites.values() if (site.vcenter, site.datacenter) in here}


def _first_look(job: JobId, who: Person, inquiry: Inquiry) -> InquiryCard:
    return InquiryCard(
        job=job,
        channel=inquiry.channel,
        thread=inquiry.thread,
        asked_by=who.user_id,
        title=f"Diagnosis of {inquiry.subject}",
        steps=[_WAITING],
    )
