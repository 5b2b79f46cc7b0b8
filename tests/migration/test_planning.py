"""The plan: what is chosen, what is counted, and what its fingerprint stands for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pydantic import TypeAdapter

from bot.migration.plan import Plan, Severity, link_name
from bot.migration.planning import datastore_of, other_hosts

GIB = 2**30


def test_a_fitting_pair_has_a_safe_plan_without_concerns(bench):
    plan = bench.plan()
    assert plan.safe
    assert plan.concerns == ()
    assert plan.size == 22 * GIB  # 12 GiB of the thin disk, all 10 GiB of the thick one
    assert (plan.target.host, plan.target.datastore_moid, plan.target.pool_moid) == (
        "esx-02.site2",
        "datastore-2",
        "resgroup-2",
    )
    assert plan.nics[0].target_network == "dvpg-app-dr"
    assert plan.nics[0].switch_uuid == "50 11 aa"
    assert plan.link == link_name("site2", "site1") == "site1~site2"


def test_the_host_that_was_named_is_taken_even_when_it_is_busier(bench):
    assert bench.plan(request=replace(bench.request, host="esx-01.site2")).target.host == "esx-01.site2"


def test_a_host_without_the_datastore_is_not_chosen(bench):
    busy, idle = bench.site.hosts
    site = replace(bench.site, hosts=(busy, replace(idle, datastores=("local",))))
    assert bench.plan(site=site).target.host == busy.name


def test_a_host_to_be_avoided_is_not_chosen_even_when_it_is_the_only_usable_one(bench):
    busy, idle = bench.site.hosts
    avoiding = replace(bench.request, avoid=(idle.name,))
    assert bench.plan(request=avoiding).target.host == busy.name
    resting = replace(bench.site, hosts=(replace(busy, in_maintenance=True), idle))
    assert bench.plan(request=avoiding, site=resting).target.host == busy.name  # and the plan says that it rests


def test_without_another_host_the_plan_says_so_and_cannot_start(bench):
    plan = bench.plan(request=replace(bench.request, avoid=tuple(h.name for h in bench.site.hosts)))
    assert not plan.safe
    assert "has no other host than esx-01.site2, esx-02.site2" in plan.concerns[0].text


def test_a_host_that_was_named_is_taken_although_it_is_to_be_avoided(bench):
    named = replace(bench.request, host="esx-02.site2", avoid=("esx-02.site2",))
    assert bench.plan(request=named).target.host == "esx-02.site2"


def test_other_hosts_are_those_that_could_take_it(bench):
    busy, idle = bench.site.hosts

    def others(*hosts):
        return other_hosts(replace(bench.site, hosts=hosts), than=idle.name, datastore="ds-c2-01")

    assert others(busy, idle) == (busy.name,)
    for unfit in ({"in_maintenance": True}, {"connection": "disconnected"}, {"datastores": ("local",)}):
        assert others(replace(busy, **unfit), idle) == ()


def test_the_network_that_was_asked_for_beats_the_map(bench):
    plan = bench.plan(request=replace(bench.request, networks={"dvpg-app": "VM Network"}))
    assert plan.nics[0].target_network == "VM Network"
    assert plan.nics[0].portgroup_key is None
    assert plan.safe


def test_the_fingerprint_changes_with_the_move_and_not_with_the_time(bench):
    plan = bench.plan()
    later = bench.plan(site=replace(bench.site, read_at=bench.site.read_at + timedelta(minutes=5)))
    assert plan.fingerprint == later.fingerprint
    assert plan.fingerprint != bench.plan(request=replace(bench.request, host="esx-01.site2")).fingerprint
    assert plan.fingerprint != bench.plan(vm=replace(bench.vm, power="poweredOn")).fingerprint


def test_a_plan_survives_its_json(bench):
    plan = bench.plan(vm=replace(bench.vm, power="poweredOn"))
    adapter = TypeAdapter(Plan)
    again = adapter.validate_json(adapter.dump_json(plan))
    assert again == plan
    assert again.fingerprint == plan.fingerprint
    assert again.concerns[0].severity is Severity.BLOCK


def test_without_a_known_source_site_the_link_is_named_by_the_datacenter(bench):
    assert bench.plan(source=None).link == "DC1~site2"


def test_datastore_paths():
    assert datastore_of("[ds 1] a/b.vmx") == "ds 1"
    assert datastore_of("no brackets") == ""


def test_the_freest_host_is_chosen_by_our_jobs_then_copies_then_running_vms(bench):
    first, second = (replace(host, copies=0, running_vms=5) for host in bench.site.hosts)

    def chosen(one, other, **busy):
        site = replace(bench.site, hosts=(one, other))
        return bench.plan(
            site=site, busy={name.replace("_", "-") + ".site2": n for name, n in busy.items()}
        ).target.host

    assert chosen(first, second) == first.name
    assert chosen(first, replace(second, running_vms=4)) == second.name
    assert chosen(replace(first, copies=1, running_vms=0), second) == second.name
    assert chosen(first, replace(second, copies=7), esx_01=1) == second.name
    assert chosen(replace(first, quarantined=True), replace(second, copies=7), esx_02=3) == second.name


def test_the_host_is_chosen_for_the_datastore_that_was_asked_for(bench):
    first, second = bench.site.hosts
    site = replace(
        bench.site,
        hosts=(replace(first, datastores=("ds-c2-01", "ds-c2-02")), second),
        datastores=(*bench.site.datastores, replace(bench.site.datastores[0], name="ds-c2-02", moid="datastore-3")),
    )
    assert bench.plan(site=site, request=replace(bench.request, datastore="ds-c2-02")).target.host == first.name


def test_disks_that_become_thin_or_go_elsewhere(bench):
    second = replace(bench.site.datastores[0], name="ds-c2-02", moid="datastore-3")
    site = replace(bench.site, datastores=(*bench.site.datastores, second))

    def moves(**asked):
        plan = bench.plan(site=site, request=replace(bench.request, **asked))
        return [(move.label, move.datastore, move.datastore_moid, move.thin) for move in plan.disk_moves]

    assert moves() == []
    assert moves(thin=True) == [("Hard disk 2", "ds-c2-01", "datastore-2", True)]  # the first is thin already
    assert moves(disk_datastores={"Hard disk 1": "ds-c2-02"}) == [("Hard disk 1", "ds-c2-02", "datastore-3", None)]
    assert moves(disk_datastores={"Hard disk 1": "ds-c2-01"}) == []
    assert moves(disk_datastores={"Hard disk 2": "nope"}, thin=True) == [("Hard disk 2", "nope", None, True)]


def test_a_chain_of_deltas_does_not_become_thin(bench):
    first, second = bench.vm.disks
    vm = replace(bench.vm, disks=(first, replace(second, parents=1, form="delta")))
    assert bench.plan(vm=vm, request=replace(bench.request, thin=True)).disk_moves == ()


def test_the_path_is_predicted_from_both_hosts_unless_it_is_known(bench):
    plan = bench.full()
    assert plan.path is not None
    assert plan.path.words == "UDT via vmk1"
    known = replace(plan.path, why="measured")
    assert bench.plan(path=known).path == known
    assert bench.plan().path is None


def test_a_plan_to_another_vcenter_names_both(bench):
    site = replace(bench.site, spec=replace(bench.site.spec, vcenter=bench.far.name))
    plan = bench.plan(site=site, far=bench.far)
    assert (plan.source.vcenter, plan.target.vcenter, plan.far) == ("east", "west", bench.far)


def test_force_lifts_warnings_alone_and_they_stay_shown(bench):
    snapshots = replace(bench.vm, has_snapshots=True)
    forced = replace(bench.request, force=True)
    plan = bench.plan(vm=snapshots)
    assert (plan.safe, plan.needs_force) == (True, True)
    lifted = bench.plan(vm=snapshots, request=forced)
    assert (lifted.safe, lifted.needs_force, [c.id for c in lifted.warnings]) == (True, False, ["snapshots"])
    assert not bench.plan(vm=replace(snapshots, template=True), request=forced).safe
    assert not bench.plan().needs_force


def test_what_is_not_known_is_seen_in_the_plan_and_survives_its_json(bench):
    plan = bench.full(unread=("snapshot",), encrypted=True, host={"evc": "intel-skylake"}, min_evc="intel-skylake")
    adapter = TypeAdapter(Plan)
    again = adapter.validate_json(adapter.dump_json(plan))
    assert again == plan
    assert [c.id for c in again.concerns if c.unreadable] == ["snapshots"]
