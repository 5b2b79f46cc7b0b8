"""How hosts are read and who is woken: every mistake in those tables is told with its key, and secrets are found."""

from __future__ import annotations

import pytest

from bot import settings, settings_checks
from bot.diagnosis.causes import Cause
from bot.errors import UserError

SITES = """
[vcenters.east]
url = "https://vc-east.example.net"
user = "svc"
password_env = "PASSWORD"
[sites.site1]
vcenter = "east"
datacenter = "DC1"
cluster = "C1"
datastore = "ds"
[sites.site2]
vcenter = "east"
datacenter = "DC2"
cluster = "C2"
datastore = "ds"
"""
SSH = '[[sources]]\nkind = "ssh"\nsites = ["site1"]\nuser = "u"\nkey_file = "k"\nknown_hosts_file = "h"\n'
HTTPS = '[[sources]]\nkind = "https"\nhosts = ["esx-1"]\nuser = "u"\npassword_env = "ESX"\n'
FILES = '[[sources]]\nkind = "files"\nhosts = ["esx-2"]\npath = "/var/log/{host}/{log}.log"\n'
NONE = '[[sources]]\nkind = "none"\nhosts = ["esx-3"]\n'
PAGER = '[[sinks]]\nkind = "pagerduty"\nrouting_key_env = "PD"\n'
HOOK = '[[sinks]]\nkind = "webhook"\nurl = "https://hooks.example.net/nfc"\nsecret_env = "HOOK"\n'
TLS = '[syslog]\ntls = 6514\ncert_file = "c"\nkey_file = "k"\n'
ALL = SSH + HTTPS + FILES + NONE + PAGER + HOOK + TLS


@pytest.fixture
def load(tmp_path):
    def load(text, environ=()):
        path = tmp_path / "coldmigrate.toml"
        path.write_text(SITES + text)
        return settings.load(path, dict(environ))

    return load


@pytest.fixture
def mistakes(load):
    def mistakes(text):
        with pytest.raises(UserError) as refused:
            load(text)
        return [line.strip() for line in str(refused.value).splitlines()[1:]]

    return mistakes


def test_all_kinds_together_are_good(load):
    found = load(ALL)
    assert [source.kind for source in found.sources] == ["ssh", "https", "files", "none"]
    assert found.syslog.opens
    assert found.sink_names == ("pagerduty", "webhook")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SSH.replace("site1", "site9"), 'sources[1].sites: "site9" is no [sites] table; did you mean site2?'),
        (
            '[[sources]]\nkind = "api"\n',
            "sources[1]: expected sites or hosts that it is for, found neither",
        ),
        (
            HTTPS + HTTPS.replace("esx-1", "ESX-1."),
            'sources[2].hosts: expected each host once, and sources[1] has "ESX-1."',
        ),
        (
            HTTPS.replace("esx-1", "esx-*"),
            'sources[1].hosts: "esx-*" is no name of a host; expected whole names, or sites',
        ),
        (SSH.replace('user = "u"\n', ""), 'sources[1].user is missing; expected it of kind "ssh"'),
        (SSH.replace('key_file = "k"\n', ""), 'sources[1].key_file is missing; expected it of kind "ssh"'),
        (
            SSH.replace('known_hosts_file = "h"\n', ""),
            'sources[1].known_hosts_file is missing; expected it of kind "ssh"',
        ),
        (SSH + 'password_env = "P"\n', 'sources[1].password_env: expected no such key of kind "ssh"'),
        (NONE + 'user = "u"\n', 'sources[1].user: expected no such key of kind "none"'),
        (
            HTTPS.replace('password_env = "ESX"\n', ""),
            "sources[1]: expected one of password_env and password_file, found neither",
        ),
        (HTTPS + 'password_file = "f"\n', "sources[1]: expected one of password_env and password_file, found both"),
        (FILES.replace("{host}", "esx"), "sources[1].path: expected {host} in it, where the name of the host stands"),
        (
            FILES.replace("{log}", "{logs}"),
            'sources[1].path: expected {host} and {log} alone in braces, found "logs"',
        ),
        (
            '[[sources]]\nkind = "syslog"\nsites = ["site1"]\n',
            "sources[1].kind: expected a port in [syslog] where these logs come in, found none",
        ),
        (
            '[[sources]]\nkind = "pigeon"\nsites = ["site1"]\n',
            'sources[1].kind: expected "syslog", "ssh", "https", "api", "files" or "none"',
        ),
        ("[syslog]\ntls = 6514\n", "syslog: expected cert_file and key_file for the port tls"),
        ('[syslog]\nudp = 514\nclient_ca_file = "c"\n', "syslog.client_ca_file: expected a port tls that it is for"),
        (TLS + "tcp = 6514\n", "syslog.tls: expected another port than tcp, found 6514 for both"),
        (
            PAGER.replace('routing_key_env = "PD"', ""),
            "sinks[1]: expected one of routing_key_env and routing_key_file, found neither",
        ),
        (
            PAGER + 'api_token_env = "A"\napi_token_file = "f"\n',
            "sinks[1]: expected one of api_token_env and api_token_file, found both",
        ),
        (
            PAGER + 'escalation_policy = "P1"\n',
            "sinks[1].escalation_policy: expected one of api_token_env and api_token_file beside it, found neither",
        ),
        (PAGER + 'secret_env = "S"\n', 'sinks[1].secret_env: expected no such key of kind "pagerduty"'),
        (
            HOOK.replace('secret_env = "HOOK"', ""),
            "sinks[1]: expected one of secret_env and secret_file, found neither",
        ),
        (
            HOOK.replace('url = "https://hooks.example.net/nfc"\n', ""),
            'sinks[1].url is missing; expected it of kind "webhook"',
        ),
        (HOOK.replace("https:", "http:"), "sinks[1].url: expected https, which nobody else on the way can read"),
        (
            HOOK.replace("https://hooks", "http://localhost.hooks"),
            "sinks[1].url: expected https, which nobody else on the way can read",
        ),
        (
            PAGER + 'name = "Night"\n' + HOOK + 'name = "night"\n',
            "sinks[2].name: expected a name of its own, and sinks[1] is called night",
        ),
        (PAGER + 'causes = ["packet_lost"]\n', 'sinks[1].causes: "packet_lost" is no cause; did you mean packet_loss?'),
        (PAGER + 'sites = ["site9"]\n', 'sinks[1].sites: "site9" is no [sites] table; did you mean site2?'),
        (
            PAGER + 'hours = ["at night"]\n',
            'sinks[1].hours: expected windows such as "Mon-Fri 20:00-06:00 Europe/Berlin"',
        ),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_was_expected(mistakes, text, expected):
    assert mistakes(text) == [expected]


def test_mistakes_of_several_tables_are_told_at_once(mistakes):
    assert len(mistakes(SSH.replace("site1", "site9") + HOOK.replace("https:", "http:") + "[syslog]\ntls = 1\n")) == 3


def test_a_hook_on_this_machine_needs_no_tls(load):
    assert load(HOOK.replace("https://hooks.example.net", "http://127.0.0.1:8080")).sinks[0].url.endswith("/nfc")


def test_who_has_no_name_is_called_by_the_kind(load):
    named = PAGER + 'name = "pagerduty 2"\n'
    assert load(PAGER + named + PAGER + HOOK).sink_names == ("pagerduty", "pagerduty 2", "pagerduty 3", "webhook")


def test_secrets_are_found_where_the_file_says(load):
    found = load(ALL, {"ESX": "word", "PD": "key", "HOOK": "signed"})
    assert found.source_password(1).get_secret_value() == "word"
    assert found.sink_secret(0, "routing_key").get_secret_value() == "key"
    assert found.sink_secret(1, "secret").get_secret_value() == "signed"
    with pytest.raises(UserError, match=r"sources\[2\].password_env names ESX, and that variable is not set"):
        load(ALL).source_password(1)


def test_causes_are_those_of_the_diagnosis():
    assert set(settings_checks.CAUSES) == set(Cause)
