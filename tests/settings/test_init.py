"""What `coldmigrate init` writes is a config that works and a manifest that Slack takes."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from bot import settings
from bot.cli.init import init
from bot.errors import UserError


def run(*args):
    return CliRunner().invoke(init, [str(arg) for arg in args], catch_exceptions=False, standalone_mode=False)


def test_the_config_is_good_as_it_is_and_describes_the_demo_world(tmp_path):
    result = run("--dir", tmp_path / "new")
    assert result.output.count("wrote ") == 2
    found = settings.load(tmp_path / "new" / "coldmigrate.toml", {})
    assert list(found.vcenters) == ["east"]
    places = {name: (site.vcenter, site.datacenter, site.cluster, site.datastore) for name, site in found.sites.items()}
    assert places == {"site1": ("east", "DC1", "C1", "ds-c1-01"), "site2": ("east", "DC2", "C2", "ds-c2-01")}
    assert found.sites["site2"].folder == "Migrated"
    assert found.sites["site2"].networks["VM Network"] == "VM Network"
    assert found.slots() == {"site1~site2": 2}


def test_what_is_commented_out_is_good_too(tmp_path):
    run("--dir", tmp_path)
    path = tmp_path / "coldmigrate.toml"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line.removeprefix("# ") if "[" in line or "=" in line else line for line in lines[4:]))
    found = settings.load(path, {})
    assert (found.alerts.mode, found.sinks[0].kind, found.worker.lease_seconds) == ("observe", "pagerduty", 30)
    assert found.sink_names == ("pagerduty", "webhook")
    assert (found.syslog.tls, found.watch.api_hosts, found.sources[0].kind) == (6514, 20, "ssh")
    assert found.vcenters["east"].ca_file == "/etc/ssl/east-ca.pem"


def test_nothing_is_overwritten_unless_asked_for(tmp_path):
    mine = tmp_path / "slack-manifest.json"
    mine.write_text("mine")
    with pytest.raises(UserError, match=r"slack-manifest.json would be overwritten, and nothing was written"):
        run("--dir", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["slack-manifest.json"]
    run("--dir", tmp_path, "--force")
    assert mine.read_text() != "mine"


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written: Not a directory"):
        run("--dir", tmp_path / "file" / "sub")


def test_the_manifest_asks_for_what_the_bot_uses_and_no_more(tmp_path):
    run("--dir", tmp_path)
    manifest = json.loads((tmp_path / "slack-manifest.json").read_text())
    assert manifest["settings"]["socket_mode_enabled"]
    assert not manifest["settings"]["token_rotation_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
    commands = [command["command"] for command in manifest["features"]["slash_commands"]]
    assert commands == ["/coldmigrate", "/diagnose", "/nfcalerts"]
    assert manifest["oauth_config"]["scopes"]["bot"]  # which ones: tests/docs/test_manifest.py
    assert len(manifest["display_information"]["name"]) <= 35
    assert len(manifest["display_information"]["description"]) <= 140
