"""`/coldmigrate` from the first key to the last reply, on real wires."""

from __future__ import annotations

from datetime import timedelta

from tests.end_to_end.plant import CHANNEL, buttons, text_of


async def test_a_migration_that_succeeds(stage, vcenter):
    said = await stage.type("/coldmigrate web01 site2")
    assert "Checking web01 for site2" in said
    card = await stage.card(showing="waiting for approval")
    assert buttons(card) == {"cm.approve", "cm.cancel"}
    assert vcenter.relocations == []  # nothing moves before somebody approves

    await stage.click(card, "cm.approve")
    end = await stage.reply(card, saying="web01 is at site2")
    card = await stage.card(showing="done")

    assert buttons(card) == set()
    assert vcenter.placement("web01").site == "site2"
    assert vcenter.placement("web01").datastore == "ds-c2-01"
    assert "[ds-c2-01] web01/web01.vmx" in text_of(end)
    (relocation,) = vcenter.relocations
    job = card["metadata"]["event_payload"]["job_id"]
    assert relocation.op_id == f"cm-{job}-a1"
    assert len(stage.cards()) == 1  # one card, edited in place
    assert len(stage.slack.person.thread(CHANNEL, card["ts"])) == 2  # and one reply, for the end


async def test_a_migration_that_dies_of_packet_loss(stage, vcenter):
    before = vcenter.placement("db01")
    await stage.type("/coldmigrate db01 site2")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    card = await stage.card(showing="failed")
    verdict = text_of(await stage.reply(card, saying="Probable cause"))
    await stage.reply(card, saying="ways on from here")
    thread = stage.thread_text(card)

    assert vcenter.placement("db01") == before
    assert "db01 is intact at its source" in thread
    assert "packet loss" in verdict
    assert "measured" in verdict
    said = [m["metadata"]["event_payload"].get("reply") for m in stage.slack.person.thread(CHANNEL, card["ts"])[1:]]
    order = ["failed", "end", "verdict", "table", "ways"]
    assert [key for key in said if key in order] == order, "where it is, what now, why, the table, the ways"
    assert "DIRTY      path between the hosts" in thread
    assert "[NFC ERROR]" in verdict
    assert "opID" in verdict
    assert "ix the network first" in thread
    for way in ("Converter", "FastSCP", "gzip"):
        assert way in thread
    assert f"root@{before.host}" in thread  # commands are filled in for this VM
    assert "/vmfs/volumes/ds-c1-01/db01/db01_1-flat.vmdk" in thread
    assert buttons(card) == {"cm.retry", "cm.retry-when-clean", "cm.measure", "cm.evidence"}


async def test_a_machine_with_snapshots_whose_copy_dies_is_whole_at_its_source(stage, vcenter):
    before = vcenter.placement("kept01")
    vcenter.set_link("site1", "site2", loss=0.04)
    await stage.type("/coldmigrate kept01 site2")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    card = await stage.card(showing="failed")
    assert "kept01 is intact at its source" in text_of(card)
    assert vcenter.placement("kept01") == before
    assert buttons(card) == {"cm.retry", "cm.retry-when-clean", "cm.measure", "cm.evidence"}


async def test_a_retry_is_a_new_plan(stage, vcenter):
    await stage.type("/coldmigrate db01 site2")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    card = await stage.card(showing="failed")
    hold = await stage.card(showing="The link site1~site2 is held", number=1)
    vcenter.set_link("site1", "site2", loss=0.0)

    await stage.click(card, "cm.retry")
    again = await stage.card(showing="waiting for approval", number=2)
    await stage.click(again, "cm.approve")
    assert vcenter.placement("db01").site == "site1"
    await stage.click(hold, "cm.release")
    await stage.card(showing="done", number=2)
    assert vcenter.placement("db01").site == "site2"


async def test_cancel_while_it_copies(stage, vcenter):
    await stage.type("/coldmigrate big01 site2")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    card = await stage.card(showing="copying")
    await stage.click(card, "cm.cancel")
    card = await stage.card(showing="cancelled")
    assert "big01 is at its source, whole" in stage.thread_text(card)
    assert vcenter.placement("big01").site == "site1"
    (relocation,) = vcenter.relocations
    assert relocation.outcome == "RequestCanceled"


async def test_cancel_before_the_approval(stage, vcenter):
    await stage.type("/coldmigrate web01 site2")
    card = await stage.card(showing="waiting for approval")
    await stage.click(card, "cm.cancel")
    await stage.card(showing="cancelled")
    assert vcenter.relocations == []
    assert "Checking web01" in await stage.type("/coldmigrate web01 site2")  # the VM is free again


async def test_list_show_cancel_and_retry_by_word(stage):
    await stage.type("/coldmigrate web01 site2")
    card = await stage.card(showing="waiting for approval")
    job = card["metadata"]["event_payload"]["job_id"]
    assert f"{job}  web01 to site2  waiting for approval" in await stage.type("/coldmigrate list")
    assert "reading the facts" in await stage.type(f"/coldmigrate show {job}")
    assert "Nothing had been started" in await stage.type(f"/coldmigrate cancel {job}")
    assert "Checking web01" in await stage.type(f"/coldmigrate retry {job}")
    assert "/coldmigrate <vm> <site>" in await stage.type("/coldmigrate help")


async def test_a_dry_run_moves_nothing_and_holds_nothing(stage, vcenter):
    await stage.type("/coldmigrate web01 site2 --dry-run")
    card = await stage.card(showing="Dry run")
    assert buttons(card) == set()
    assert "Checking web01" in await stage.type("/coldmigrate web01 site2")
    assert vcenter.relocations == []


async def test_host_datastore_and_network_as_asked_for(stage, vcenter):
    host = next(h for h in vcenter.hosts() if "site2" in h or h in vcenter.hosts()[2:])
    await stage.type(f"/coldmigrate web01 site2 --host {host} --datastore ds-c2-01 --network 'dvpg-app=VM Network'")
    card = await stage.card(showing="waiting for approval")
    assert host in text_of(card)
    assert "dvpg-app to VM Network" in text_of(card)
    await stage.click(card, "cm.approve")
    await stage.card(showing="done")
    assert vcenter.placement("web01").host == host


async def test_a_plan_that_nobody_approves_expires_and_the_card_says_so(stage, skew_clock, vcenter):
    await stage.type("/coldmigrate web01 site2")
    card = await stage.card(showing="waiting for approval")
    skew_clock(timedelta(hours=1, minutes=1))
    await stage.clean_up()
    card = await stage.card(showing="nobody approved it in time")
    assert buttons(card) == {"cm.retry"}
    assert vcenter.relocations == []
