"""Every mistake in the config is told, all at once, with its key; secrets are read late and shown to nobody."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot import settings, settings_tables
from bot.errors import UserError
from bot.operations.tools import Allow

GOOD = """
[slack]
app_token_env = "SLACK_APP_TOKEN"
bot_token_file = "bot-token"
[redis]
url = "redis://me@redis.example.net:6379/0"
password_env = "REDIS_PASSWORD"
[vcenters.east]
url = "https://vc-east.example.net:8443"
user = "svc"
password_file = "/run/secrets/vc-east"
thumbprint = "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD"
[sites.site1]
vcenter = "east"
datacenter = "DC1"
cluster = "C1"
datastore = "ds-c1-01"
folder = "Migrated"
networks = { "VM Network" = "VM Network" }
windows = ["Mon-Fri 20:00-06:00 Europe/Berlin", "Sun 00:00-23:59 UTC"]
approval = "second-person"
[sites.site2]
vcenter = "east"
datacenter = "DC2"
host = "esx-01.example.net"
datastore = "ds-c2-01"
[[links]]
between = ["site2", "site1"]
slots = 3
max_loss = "0.25 %"
[[rights]]
who = ["group:S0123VMOPS", "user:U0456", "channel:C0789"]
may = ["migrate", "approve"]
sites = ["site1"]
[alerts]
channel = "C0789NFC"
[[sinks]]
kind = "pagerduty"
routing_key_env = "PD_KEY"
"""


@pytest.fixture
def load(tmp_path):
    def load(text=GOOD, environ=()):
        path = tmp_path / "coldmigrate.toml"
        path.write_text(text)
        return settings.load(path, dict(environ))

    return load


@pytest.fixture
def mistakes(load):
    """The lines that a config is refused with, below the headline."""

    def mistakes(text):
        with pytest.raises(UserError) as refused:
            load(text)
        head, *lines = str(refused.value).splitlines()
        assert "coldmigrate.toml has " in head
        assert head.endswith("a mistake:" if len(lines) == 1 else f"{len(lines)} mistakes:")
        return [line.strip() for line in lines]

    return mistakes


def test_a_good_file(load):
    found = load()
    assert found.sites["site1"].windows == ("Mon-Fri 20:00-06:00 Europe/Berlin", "Sun 00:00-23:59 UTC")
    assert (found.sites["site1"].cluster, found.sites["site1"].host) == ("C1", None)
    assert found.sites["site2"].approval == "requester"
    assert found.slots() == {"site1~site2": 3}
    assert found.links[0].largest_loss == pytest.approx(0.0025)
    assert found.rights[0].sites == ("site1",)
    assert (found.alerts.mode, found.sinks[0].after_minutes) == ("observe", 10)
    assert (found.worker.lease, found.worker.concurrency) == (timedelta(seconds=30), 64)
    assert found.worker.submit_timeout == timedelta(seconds=60)
    assert found.slack.api_url == "https://slack.com/api/"


def test_nothing_beyond_a_move_is_allowed_until_it_is_said(load):
    assert set(load().allow.model_dump().values()) == {False}
    found = load(GOOD + "[allow]\nshutdown = true\npower_on = true\n").allow
    assert (found.shutdown, found.power_on, found.power_off, found.delete_leftovers) == (True, True, False, False)
    assert Allow(**found.model_dump()) == Allow(shutdown=True, power_on=True)


def test_warnings_and_losses_are_handed_on(load):
    assert load().sites["site1"].warnings == "approve"
    assert load().max_loss() == {"site1~site2": pytest.approx(0.0025)}


def test_a_link_has_at_most_one_canary_and_it_tries_no_other(load, mistakes):
    assert load().canaries() == {}
    assert load(change("slots = 3", 'canary = "canary01"')).canaries() == {"site1~site2": "canary01"}
    assert mistakes(change("slots = 3", 'canary = ""')) == [
        'links[1].canary: expected the name, path or UUID of a small powered-off VM, "canary01"'
    ]
    site3 = '[sites.site3]\nvcenter = "east"\ndatacenter = "DC3"\ncluster = "C3"\ndatastore = "ds"\n'
    twin = '[[links]]\nbetween = ["site1", "site3"]\ncanary = "Canary01"\n'
    assert mistakes(change("slots = 3", 'canary = "canary01"') + site3 + twin) == [
        "links[2].canary: expected a VM of its own, and links[1] has Canary01"
    ]


def test_an_empty_file_is_a_config(load):
    found = load("")
    assert (found.sites, found.links, found.alerts, found.redis_url()) == ({}, (), None, None)


def test_it_cannot_be_changed(load):
    with pytest.raises(ValueError, match="frozen"):
        load().slack.api_url = "https://other/"


def test_freezes_and_the_zone_that_people_mean(load):
    found = load(
        'timezone = "Europe/Berlin"\n' + FROZEN + 'sites = ["site2"]\n'
        "[[freezes]]\nfrom = 2026-12-20\nto = 2026-12-20T18:00:00\nwhy = 'inventory'\n"
        "[[freezes]]\nfrom = '2026-12-20 18:00 UTC'\nto = '2026-12-20 Europe/Berlin'\nwhy = 'w'\n"
    )
    spans = [tuple(f"{end:%Y-%m-%d %H:%M %Z}" for end in freeze.span(found.zone)) for freeze in found.freezes]
    assert spans == [
        ("2026-12-20 00:00 CET", "2027-01-05 00:00 CET"),  # a day without a time is frozen to its end
        ("2026-12-20 00:00 CET", "2026-12-20 18:00 CET"),
        ("2026-12-20 18:00 UTC", "2026-12-21 00:00 CET"),
    ]
    assert [freeze.sites for freeze in found.freezes] == [("site2",), ("*",), ("*",)]
    assert load().timezone == "UTC"


# ---- mistakes

FROZEN = GOOD + '[[freezes]]\nfrom = "2026-12-20"\nto = "2027-01-04"\nwhy = "year-end closing"\n'


def change(old, new):
    assert old in GOOD
    return GOOD.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "[worker]\nleasesecs = 3\n", "worker.leasesecs is not a key here; did you mean lease_seconds?"),
        (
            GOOD + "[worker]\nlease_seconds = 1\n",
            "worker.lease_seconds: expected seconds, 3 to 600",
        ),
        (GOOD + '[worker]\nconcurrency = "many"\n', "worker.concurrency: expected jobs side by side, 1 to 1000"),
        (
            GOOD + "[site]\n",
            "site is not a key here; did you mean sites?",
        ),
        (
            "nonsense = 1\n" + GOOD,
            "nonsense is not a key here; expected one of " + ", ".join(sorted(settings.Settings.model_fields)),
        ),
        ("worker = 3\n" + GOOD, "worker: expected a table"),
        ("vcenters = 3\n", "vcenters: expected a table"),
        ("links = 3\n", "links: expected [[links]] tables"),
        ("[sites]\nsite1 = 3\n", "sites.site1: expected a table"),
        (
            change('user = "svc"', ""),
            'vcenters.east.user is missing; expected an account, "svc-coldmigrate@vsphere.local"',
        ),
        (
            change("https://vc-east", "http://vc-east"),
            'vcenters.east.url: expected an https URL, "https://vc-east.example.net"',
        ),
        (
            change("AA:BB:CC", "AA:BB"),
            'vcenters.east.thumbprint: expected the certificate\'s SHA-1 or SHA-256, "AA:BB:..."',
        ),
        (
            change('user = "svc"', 'user = "svc"\nca_file = "x"'),
            "vcenters.east: expected ca_file or thumbprint, found both",
        ),
        (
            change('password_file = "/run/secrets/vc-east"', ""),
            "vcenters.east: expected one of password_env and password_file, found neither",
        ),
        (
            change('app_token_env = "SLACK_APP_TOKEN"', 'app_token_env = "A"\napp_token_file = "B"'),
            "slack: expected one of app_token_env and app_token_file, found both",
        ),
        (
            change("me@redis", "me:pw@redis"),
            "redis.url: expected no password in it, but in password_env, password_file or REDIS_URL",
        ),
        (
            change("redis://me", "http://me"),
            "redis.url: expected redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://",
        ),
        (
            change('vcenter = "east"', 'vcenter = "eats"'),
            'sites.site1.vcenter: "eats" is no [vcenters] table; did you mean east?',
        ),
        (change('cluster = "C1"', ""), "sites.site1: expected one of cluster and host, found neither"),
        (
            change('cluster = "C1"', 'cluster = "C1"\nhost = "h"'),
            "sites.site1: expected one of cluster and host, found both",
        ),
        (change('cluster = "C1"', "cluster = 7"), 'sites.site1.cluster: expected the name of a cluster, "C1"'),
        (
            change('datastore = "ds-c1-01"', 'datastore = ""'),
            'sites.site1.datastore: expected the name of a datastore, "ds-c1-01"',
        ),
        (
            change("Mon-Fri 20:00", "Mon-Fri 25:00"),
            'sites.site1.windows: expected windows such as "Mon-Fri 20:00-06:00 Europe/Berlin"',
        ),
        (
            change("Europe/Berlin", "Europe/Bonn"),
            'sites.site1.windows: expected windows such as "Mon-Fri 20:00-06:00 Europe/Berlin"',
        ),
        (
            change("Europe/Berlin", "../../etc"),
            'sites.site1.windows: expected windows such as "Mon-Fri 20:00-06:00 Europe/Berlin"',
        ),
        (
            change("Mon-Fri 20:00", "Mon-Fri 2\u0660:00"),  # a digit, but of another script
            'sites.site1.windows: expected windows such as "Mon-Fri 20:00-06:00 Europe/Berlin"',
        ),
        (change('"second-person"', '"nobody"'), 'sites.site1.approval: expected "requester" or "second-person"'),
        (
            change('{ "VM Network" = "VM Network" }', "{ x = 1 }"),
            'sites.site1.networks: expected networks there and here, { "VM Network" = "VM Network" }',
        ),
        (
            change("[sites.site2]", "[sites.SITE1]").replace('["site2", "site1"]', '["SITE1", "site1"]'),
            "sites.SITE1: expected a name of its own, and sites.site1 differs only in capitals",
        ),
        (
            change("[sites.site2]", '[sites."si te"]').replace('["site2"', '["si te"'),
            "sites.si te: expected a name of letters, digits, '-', '_' and '.'",
        ),
        (
            change('["site2", "site1"]', '["site3", "site1"]'),
            'links[1].between: "site3" is no [sites] table; did you mean site2?',
        ),
        (
            change('["site2", "site1"]', '["site1", "site1"]'),
            'links[1].between: expected two different sites, found "site1" twice',
        ),
        (change('["site2", "site1"]', '["site1"]'), 'links[1].between: expected two sites, ["site1", "site2"]'),
        (
            GOOD + '[[links]]\nbetween = ["site1", "site2"]\n',
            "links[2].between: expected each pair once, and site1 and site2 had theirs",
        ),
        (
            change("slots = 3", "slots = 0"),
            "links[1].slots: expected how many migrations may cross it at once, 1 to 100",
        ),
        (
            change("slots = 3", "slots = true"),
            "links[1].slots: expected how many migrations may cross it at once, 1 to 100",
        ),
        ('timezone = "Europe/Bonn"\n' + GOOD, 'timezone: expected a time zone, "Europe/Berlin"'),
        ("timezone = 1\n" + GOOD, 'timezone: expected a time zone, "Europe/Berlin"'),
        (
            FROZEN.replace("2026-12-20", "20 December"),
            'freezes[1].from: expected a day or a time, "2026-12-20" or "2026-12-20 18:00 Europe/Berlin"',
        ),
        (
            FROZEN.replace("2026-12-20", "2026-02-30"),
            'freezes[1].from: expected a day or a time, "2026-12-20" or "2026-12-20 18:00 Europe/Berlin"',
        ),
        (
            FROZEN.replace("2027-01-04", "2027-01-04 18:00 Europe/Bonn"),
            'freezes[1].to: expected a day, which is still frozen, or a time: "2027-01-04" or "2027-01-04 06:00"',
        ),
        (
            FROZEN.replace('to = "2027-01-04"\n', ""),
            "freezes[1].to is missing; expected " + settings.Freeze.model_fields["to"].description,
        ),
        (
            FROZEN.replace("2027-01-04", "2026-12-19"),
            "freezes[1].to: expected a time after 2026-12-20, found 2026-12-19",
        ),
        (
            FROZEN.replace("2027-01-04", "2026-12-20 00:00"),
            "freezes[1].to: expected a time after 2026-12-20, found 2026-12-20 00:00",
        ),
        (FROZEN + 'sites = ["site9"]\n', 'freezes[1].sites: "site9" is no [sites] table; did you mean site2?'),
        (
            FROZEN.replace('why = "year-end closing"\n', ""),
            'freezes[1].why is missing; expected the reason that people are told, "year-end closing"',
        ),
        ("freezes = 3\n" + GOOD, "freezes: expected [[freezes]] tables"),
        (change('"0.25 %"', '"101 %"'), 'links[1].max_loss: expected a percentage, "0.1 %"'),
        (change('"0.25 %"', '"little"'), 'links[1].max_loss: expected a percentage, "0.1 %"'),
        (
            change('"user:U0456"', '"bob"'),
            'rights[1].who: expected people as "user:U...", "group:S..." or "channel:C..."',
        ),
        (
            change('["migrate", "approve"]', '["fly", "swim"]'),
            "rights[1].may: expected " + settings.Right.model_fields["may"].description,
        ),
        (
            change('["migrate", "approve"]', "[]"),
            "rights[1].may: expected " + settings.Right.model_fields["may"].description,
        ),
        (
            change('sites = ["site1"]', 'sites = ["site9"]'),
            'rights[1].sites: "site9" is no [sites] table; did you mean site2?',
        ),
        (change("C0789NFC", "#nfc"), 'alerts.channel: expected a channel\'s id, "C0789NFC"'),
        (GOOD + '[allow]\nshutdown = "yes"\n', "allow.shutdown: expected true or false"),
        (GOOD + "[allow]\npoweron = true\n", "allow.poweron is not a key here; did you mean power_on?"),
        (
            change('approval = "second-person"', 'warnings = "ignore"'),
            'sites.site1.warnings: expected "approve" or "force"',
        ),
        (change('"pagerduty"', '"pigeon"'), 'sinks[1].kind: expected "pagerduty" or "webhook"'),
        (
            change('routing_key_env = "PD_KEY"', ""),
            "sinks[1]: expected one of routing_key_env and routing_key_file, found neither",
        ),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_was_expected(mistakes, text, expected):
    assert mistakes(text) == [expected]


def test_all_mistakes_are_told_at_once_even_where_the_shape_is_wrong(mistakes):
    found = mistakes("""
        foo = 1
        links = 4
        [vcenters.a]
        url = "http://x"
        [sites.s1]
        vcenter = "west"
        [[rights]]
        who = ["bob", "jim"]
        may = ["fly"]
        sites = ["s2", 3]
        """)
    keys = sorted({line.split()[0].rstrip(":") for line in found})
    assert keys == [
        "foo", "links", "rights[1].may", "rights[1].sites", "rights[1].who", "sites.s1", "sites.s1.datacenter",
        "sites.s1.datastore", "sites.s1.vcenter", "vcenters.a", "vcenters.a.url", "vcenters.a.user",
    ]  # fmt: skip
    assert len(found) == len(set(found))


def test_a_value_in_the_wrong_place_is_not_repeated(mistakes):
    told = mistakes('[slack]\napp_token = "xapp-secret"\nbot_token_env = 7\n')
    assert "xapp-secret" not in "".join(told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sites.a]\n[sites.a]\n", r"is not TOML: .*line 2.*only once"),
        ("[slack", r"is not TOML: .*at end of document"),
    ],
)
def test_what_is_not_toml_is_told_with_its_line(load, text, words):
    with pytest.raises(UserError, match=words):
        load(text)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="There is no config at") as refused:
        settings.load(tmp_path / "none.toml", {})
    assert refused.value.example == "coldmigrate init"
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        settings.load(tmp_path, {})
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe4'")
    with pytest.raises(UserError, match="is not UTF-8"):
        settings.load(tmp_path / "latin.toml", {})


def test_where_the_file_is_looked_for(tmp_path, monkeypatch):
    given, variable = tmp_path / "given.toml", tmp_path / "variable.toml"
    assert settings.find(given, {"COLDMIGRATE_CONFIG": str(variable)}) == given
    assert settings.find(None, {"COLDMIGRATE_CONFIG": str(variable)}) == variable
    assert settings.find(None, {}) == Path("coldmigrate.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLDMIGRATE_CONFIG", raising=False)
    (tmp_path / "coldmigrate.toml").write_text(GOOD)
    assert settings.load().slots() == {"site1~site2": 3}


# ---- secrets


def test_tokens_come_from_variables_and_files_and_are_masked(load, tmp_path):
    (tmp_path / "bot-token").write_text("xoxb-2\n")
    found = load(environ={"SLACK_APP_TOKEN": "xapp-1"})
    tokens = found.slack_tokens()
    assert (tokens.app.get_secret_value(), tokens.bot.get_secret_value()) == ("xapp-1", "xoxb-2")
    shown = f"{tokens!r} {tokens} {found!r} {found}"
    assert "xapp-1" not in shown
    assert "xoxb-2" not in shown


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda _: None, "slack.bot_token_file names .*bot-token, and it cannot be read: No such file"),
        (lambda path: path.write_text(" \n"), "slack.bot_token_file names .*bot-token, and that file is empty"),
        (
            lambda path: path.write_bytes(b"\xff"),
            "slack.bot_token_file names .*, and it cannot be read: not text",
        ),
    ],
)
def test_a_secret_file_that_will_not_do_is_told_with_its_key(load, tmp_path, prepare, words):
    prepare(tmp_path / "bot-token")
    with pytest.raises(UserError, match=words):
        load(environ={"SLACK_APP_TOKEN": "xapp-1"}).slack_tokens()


@pytest.mark.parametrize("environ", [{}, {"SLACK_APP_TOKEN": " "}])
def test_a_variable_that_is_not_set_is_told_with_its_key(load, environ):
    with pytest.raises(UserError, match=r"slack.app_token_env names SLACK_APP_TOKEN, and that variable is not set"):
        load(environ=environ).slack_tokens()


def test_a_secret_that_the_file_does_not_mention(load):
    with pytest.raises(UserError, match="slack has neither app_token_env nor app_token_file"):
        load("").slack_tokens()


def test_a_worker_needs_no_slack_and_a_bot_no_vcenter(load, tmp_path):
    (tmp_path / "vc").write_text("pw")
    found = load(change("/run/secrets/vc-east", "vc"))
    assert found.vcenter_password("east").get_secret_value() == "pw"
    with pytest.raises(UserError, match=r"vcenters\.east\.password_file"):
        load().vcenter_password("east")


def test_the_url_of_redis_with_its_password(load):
    environ = {"REDIS_PASSWORD": "p@ss/word"}
    assert load(environ=environ).redis_url().get_secret_value() == "redis://me:p%40ss%2Fword@redis.example.net:6379/0"
    plain = change('password_env = "REDIS_PASSWORD"', "")
    assert load(plain).redis_url().get_secret_value() == "redis://me@redis.example.net:6379/0"
    without_user = change("me@redis", "redis")
    assert load(without_user, environ).redis_url().get_secret_value().startswith("redis://:p%40ss")
    over = {"REDIS_URL": "unix://:pw@/run/r.sock"}
    assert load(environ=over).redis_url().get_secret_value() == over["REDIS_URL"]
    assert "pw" not in repr(load(environ=over).redis_url())
    with pytest.raises(UserError, match=r"redis\.password_env names REDIS_PASSWORD"):
        load().redis_url()


def test_redis_alone_can_be_found_without_a_file(tmp_path, monkeypatch, load):
    monkeypatch.chdir(tmp_path)
    found = settings.redis_address(None, {"REDIS_URL": "redis://h"})
    assert (found.url.get_secret_value(), found.ca_file, found.confirm_replicas) == ("redis://h", None, None)
    with pytest.raises(UserError, match="There is no config"):
        settings.redis_address(None, {})
    with pytest.raises(UserError, match="There is no config"):
        settings.redis_address(tmp_path / "none.toml", {"REDIS_URL": "redis://h"})
    (tmp_path / "coldmigrate.toml").write_text(
        '[redis]\nurl = "rediss://h"\nca_file = "ca.pem"\nconfirm_replicas = 2\nconfirm_disk = true\n'
    )
    found = settings.redis_address(None, {})
    assert (found.url.get_secret_value(), found.ca_file) == ("rediss://h", Path("ca.pem"))
    assert (found.confirm_replicas, found.confirm_disk) == (2, True)
    (tmp_path / "coldmigrate.toml").write_text("")
    with pytest.raises(UserError, match=r"set redis.url or the variable REDIS_URL"):
        settings.redis_address(None, {})


def test_paths_start_where_the_file_is(load, tmp_path):
    found = load()
    assert found.path("ca.pem") == tmp_path / "ca.pem"
    assert found.path("/etc/ca.pem") == Path("/etc/ca.pem")
    assert found.path(None) is None


# ---- words


def test_every_key_is_documented():
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    for name, model in settings_tables.TABLES.items():
        _, found, section = text.partition(f"## `[[{name}" if f"[[{name}" in text else f"## `[{name}")
        assert found, f"[{name}] is not documented"
        section = section.partition("\n## ")[0]
        for field, found_there in settings_tables.keys(model).items():
            assert f"`{field}`" in section, f"{name}.{field} is not documented"
            assert found_there.description, f"{name}.{field} does not say what is expected"
