"""The world file: what it means, and how each mistake in it is told."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.playground.world import demo_world_path, load_world, parse_rate, parse_size, parse_world

SITES = '[[sites]]\nname = "site1"\nvcenter = "east"\n[[sites]]\nname = "site2"\nvcenter = "east"\n'


def _mistakes(text):
    with pytest.raises(UserError) as refused:
        parse_world(text, source="w.toml")
    lines = str(refused.value).splitlines()
    assert all(line.startswith("w.toml: ") for line in lines)
    return [line.removeprefix("w.toml: ") for line in lines]


def test_the_demo_world_is_what_the_story_needs():
    world = load_world(demo_world_path())
    assert [(site.name, site.vcenter, site.datacenter, site.hosts) for site in world.sites] == [
        ("site1", "east", "DC1", 2),
        ("site2", "east", "DC2", 2),
    ]
    link = world.links[0]
    assert (link.rate, link.rtt, link.loss) == (10**9, timedelta(milliseconds=80), 0.0)
    vms = {vm.name: vm for vm in world.vms}
    web = sum(disk.used for disk in vms["web01"].disks)
    assert 6 <= web * 8 / link.rate <= 8
    assert vms["app01"].power == "on"
    assert [(event.at.percent, event.at.vm, event.loss) for event in world.events] == [(63, "db01", 0.04)]
    assert "Migrated" in world.sites[1].folders


def test_what_is_not_said_has_a_sensible_value():
    world = parse_world(SITES + '[[vms]]\nname = "a"\nsite = "site2"\ndisks = ["10 GiB", "40 GiB thin 12 GiB"]\n')
    site = world.sites[1]
    assert (site.datacenter, site.cluster, site.datastores[0].name) == ("DC2", "C2", "ds-c2-01")
    assert [vcenter.name for vcenter in world.vcenters] == ["east"]
    assert world.vcenters[0].accounts[0].privileges == "all"
    thick, thin = world.vms[0].disks
    assert (thick.thin, thick.used) == (False, 10 * 2**30)
    assert (thin.thin, thin.used, thin.capacity) == (True, 12 * 2**30, 40 * 2**30)


def test_all_mistakes_are_told_at_once_with_their_keys():
    told = _mistakes(
        'seed = "x"\n' + SITES + '[[vms]]\nname = "db"\nsite = "mars"\ndisks = ["40 Gi"]\npower = "maybe"\n'
        '[[vms]]\nname = "b"\nsite = "site1"\nnetworks = ["nope"]\ndatastore = "x"\nhost = 9\ncolour = "red"\n'
        '[[links]]\nbetween = ["site1", "venus"]\nloss = "400 %"\nrate = 5\n'
        '[[events]]\nat = "63 of db"\nlink = ["site1", "site2"]\n'
        '[[events]]\nat = "5 % of ghost"\nlink = ["site1", "venus"]\n'
    )
    for key in (
        "seed", "vms.0.site", "vms.0.disks.0", "vms.0.power", "vms.1.networks", "vms.1.datastore", "vms.1.host",
        "vms.1.colour", "links.0", "links.0.loss", "links.0.rate", "events.0.at", "events.0.link", "events.1.at",
    ):  # fmt: skip
        assert any(line.startswith(f"{key}: ") for line in told), (key, told)
    assert 'links.0.loss: expected a percentage from "0 %" to "100 %", for example "4 %"' in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "sites: expected at least one [[sites]] table"),
        (SITES + SITES, "sites: expected one entry named 'site1', found several"),
        (SITES + '[[vms]]\nname = "a"\nsite = "site1"\n' * 2, "vms: expected 'a' once per folder of site 'site1'"),
        (SITES + '[[vms]]\nname="a"\nsite="site1"\ndisks=["1 GiB thin 2 GiB"]', "vms.0.disks.0: expected a thin disk"),
        (
            '[[sites]]\nname="a"\nvcenter="e"\ndatastores=[{name="d", capacity="1 GiB", free="2 GiB"}]',
            "sites.0.datastores.0: expected free to be no more than capacity",
        ),
    ],
)
def test_single_mistakes(text, expected):
    assert any(line.startswith(expected) for line in _mistakes(text))


def test_a_file_that_is_no_toml_or_not_there_is_said_to_be_so(tmp_path):
    assert "not TOML" in _mistakes("[[")[0]
    with pytest.raises(UserError, match="cannot be read"):
        load_world(tmp_path / "none.toml")


def test_a_password_is_not_shown():
    text = SITES + '[[vcenters]]\nname = "east"\naccounts = [{ user = "u", password = "s3cret" }]\n'
    assert "s3cret" not in repr(parse_world(text))


@given(st.integers(0, 10**6), st.sampled_from([("KiB", 2**10), ("MB", 10**6), ("TiB", 2**40)]))
def test_sizes_are_exact(number, unit):
    assert parse_size(f"{number} {unit[0]}") == number * unit[1]


@given(st.text(max_size=12).filter(lambda text: not text.strip()[:1].isdigit()))
def test_no_other_text_passes_for_an_amount(text):
    for parse in (parse_size, parse_rate):
        with pytest.raises(ValueError, match="expected"):
            parse(text)


NETWORK = SITES.replace('name = "site1"', 'name = "site1"\nprovisioning = "interface"\nroutes = ["site2"]')


def test_how_hosts_reach_each_other_has_defaults_that_change_nothing():
    world = parse_world(SITES + '[[links]]\nbetween = ["site1", "site2"]\n')
    site, link = world.sites[0], world.links[0]
    assert (site.provisioning, site.routes, site.udt, site.mtu) == ("none", (), True, 1500)
    assert (link.pmtud, link.idle_timeout, link.provisioning_routed, link.provisioning_stretched) == (
        True, None, True, False,
    )  # fmt: skip
    world = parse_world(
        NETWORK + '[[links]]\nbetween = ["site1", "site2"]\nidle_timeout = "1 h"\n'
        'blocked = [{ from = "site1", to = "site2", port = 902 }]\n'
    )
    assert (world.sites[0].routes, world.links[0].idle_timeout) == (("site2",), timedelta(hours=1))
    assert world.links[0].blocked[0].how == "silent"


def test_an_event_happens_at_a_percentage_or_at_a_time():
    text = SITES + '[[vms]]\nname = "db"\nsite = "site1"\n[[events]]\nvm = "db"\nlocked = true\nat = '
    assert parse_world(f'{text}"5 % of db"').events[0].at.percent == 5
    assert parse_world(f'{text}"30 s"').events[0].at.after == timedelta(seconds=30)


def test_mistakes_of_the_network_and_of_events_are_told_at_once():
    told = _mistakes(
        NETWORK.replace('routes = ["site2"]', 'routes = ["mars"]\nmtu = 100').replace('"interface"', '"both"')
        + '[[links]]\nbetween = ["site1", "site2"]\nidle_timeout = "soon"\npmtud = "yes please"\n'
        'blocked = [{ from = "site1", to = "venus", port = 902, how = "loudly" }]\n'
        '[[events]]\nat = "tomorrow"\nhost = "esx-site1-09.example.net"\nnfcd = "asleep"\n'
        '[[events]]\nat = "1 s"\ndatastore = "ds-c9-01"\nfree = "0 B"\n'
        '[[events]]\nat = "2 s"\nloss = "4 %"\n'
        '[[events]]\nat = "3 s"\nhost = "esx-site1-02.example.net"\n'
        '[[events]]\nat = "4 s"\n'
        '[[events]]\nat = "5 s"\nvm = "ghost"\npower = "on"\n'
        '[[events]]\nat = "6 s"\nblock = [{ from = "site1", to = "pluto", port = 902 }]\n'
        '[[events]]\nat = "7 s"\nvcenter = "west"\nsessions = "expired"\n'
    )
    for key in (
        "sites.0.provisioning", "sites.0.routes", "sites.0.mtu", "links.0", "links.0.idle_timeout", "links.0.pmtud",
        "links.0.blocked.0.how", "events.0.at", "events.0.host", "events.0.nfcd", "events.1.datastore",
        "events.2.loss", "events.3.host", "events.4.at", "events.5.vm", "events.6.block", "events.7.vcenter",
    ):  # fmt: skip
        assert any(line.startswith(f"{key}: ") for line in told), (key, told)
    assert "events.2.loss: expected together with 'link'" in told
