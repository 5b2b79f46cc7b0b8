"""`coldmigrate init`: a config to begin with, and the manifest that the Slack app is made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from bot.errors import UserError

CONFIG_NAME: Final = "coldmigrate.toml"
MANIFEST_NAME: Final = "slack-manifest.json"

CONFIG: Final = """\
# coldmigrate: where VMs are, where they may go, and who may send them there.
# docs/configuration.md explains every key. A mistake is reported with its key, all mistakes at once.
# No secret stands in this file: *_env names an environment variable, *_file a file that holds it.

# timezone = "Europe/Berlin"              # of times that name no zone, here and in Slack; else UTC

[slack]                                   # read by the bot alone
app_token_env = "SLACK_APP_TOKEN"         # xapp-..., from Basic Information, with the scope connections:write
bot_token_env = "SLACK_BOT_TOKEN"         # xoxb-..., from Install App
# admins = ["U0456"]                      # told by the bot what only they can mend: a channel it was removed from

[redis]                                   # the variable REDIS_URL goes before this
url = "redis://localhost:6379/0"          # or rediss://, unix://, redis+sentinel://s1,s2/master/0, redis+cluster://n1,n2
# password_env = "REDIS_PASSWORD"

[vcenters.east]                           # read by workers alone
url = "https://vc-east.example.net"
user = "svc-coldmigrate@vsphere.local"
password_env = "VC_EAST_PASSWORD"
# ca_file = "/etc/ssl/east-ca.pem"        # or thumbprint = "AA:BB:..."; else the system's authorities count

[sites.site1]                             # what people type: /coldmigrate web01 site1
vcenter = "east"
datacenter = "DC1"
cluster = "C1"                            # or host = "esx-01.example.net"
datastore = "ds-c1-01"
networks = { "VM Network" = "VM Network" }    # on the left the network a VM is on, on the right the one it gets here

[sites.site2]
vcenter = "east"
datacenter = "DC2"
cluster = "C2"
datastore = "ds-c2-01"
folder = "Migrated"                       # VMs from elsewhere are put here
networks = { "VM Network" = "VM Network", "dvpg-app" = "dvpg-app-dr" }
approval = "requester"                    # or "second-person": never the one who asked
# warnings = "force"                      # a plan with warnings takes somebody with the right to force it
# windows = ["Mon-Fri 20:00-06:00 Europe/Berlin"]     # when copies from or to here may start; else at any time

[[links]]
between = ["site1", "site2"]
slots = 2                                 # copies that may cross this link at once
max_loss = "0.1 %"
# canary = "canary01"                     # a small VM, powered off, that may be moved over it at any time to try it

# [[freezes]]                             # nothing starts meanwhile
# from = "2026-12-20"
# to = "2027-01-04"                       # a day without a time is frozen to its end
# sites = ["*"]
# why = "year-end closing"

[[rights]]                                # without such a table nobody may do anything
who = ["group:S0123VMOPS", "user:U0456"]  # user groups, people, or a channel's members: "channel:C..."
may = ["migrate", "approve", "cancel", "retry", "diagnose", "see"]      # and: "force", "power", "clean"
sites = ["*"]

# [allow]                                 # what may be done to VMs and datastores beyond a move; else nothing of it
# shutdown = true                         # a guest is shut down before its move, when asked for with --shutdown
# power_off = true                        # ... and powered off on a click, if it does not shut down
# power_on = true                         # a VM is powered on: after its move, or on a click at its source
# drives = true                           # images are taken out of its drives, with --disconnect-iso
# consolidate = true                      # deltas that no snapshot owns are merged, with --consolidate
# delete_leftovers = true                 # files that a failed copy left behind, on a second click
# canary = true                           # the canary of a link is moved over it when asked for: nobody approves

# [lists]                                 # VMs that go together: /coldmigrate @web-tier site2
# web-tier = ["web01", "web02"]

# [alerts]                                # failures that all hosts' logs tell of, whoever's copy it was
# channel = "C0789NFC"
# mode = "observe"                        # a digest; "alert" when you trust it
# quiet_hours = ["Mon-Fri 20:00-06:00 Europe/Berlin"]     # messages wait for their end; sinks do not

# [[sinks]]                               # who is told when nobody acknowledges
# kind = "pagerduty"
# routing_key_env = "PD_KEY"
# after_minutes = 10

# [[sinks]]
# kind = "webhook"
# url = "https://hooks.example.net/nfc"
# secret_env = "NFC_HOOK_SECRET"          # what each request is signed with
# causes = ["packet_loss", "port_blocked"]

# [watch]                                 # how hosts are read that no [[sources]] table names: by syslog, if that is
# api_hosts = 20                          # taken in below, else through vCenter, if it has no more hosts than this
# lines_per_second = 2000                 # a host that sends more is throttled and named

# [syslog]                                # hosts send here: esxcli system syslog config set --loghost=...
# udp = 514
# tcp = 514
# tls = 6514
# cert_file = "/run/secrets/syslog/tls.crt"
# key_file = "/run/secrets/syslog/tls.key"

# [[sources]]                             # the first that names a host counts, before any for its site
# kind = "ssh"                            # or "https", "files", "api", "none"
# sites = ["site2"]
# user = "coldmigrate"
# key_file = "/run/secrets/esx-key"
# known_hosts_file = "/etc/coldmigrate/known_hosts"

# [capacity]
# per_host = 4                            # migrations that use one host, or one datastore, at once
# per_datastore = 4

# [worker]
# lease_seconds = 30                      # a job of a worker that died is taken over after this
# concurrency = 64
# submit_timeout_seconds = 60
"""

MANIFEST: Final[dict[str, Any]] = {
    "display_information": {
        "name": "coldmigrate",
        "description": "Moves VMware VMs between sites, cold, and says why the copy died when it does.",
    },
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
        "shortcuts": [
            {
                "name": "Migrate a VM",
                "type": "global",
                "callback_id": "cm.open-form",
                "description": "Plan a cold migration of a VM to another site",
            },
            {
                "name": "Diagnose this log",
                "type": "message",
                "callback_id": "cm.diagnose-log",
                "description": "Say why a copy failed, by the log lines and files in this message",
            },
        ],
        "bot_user": {"display_name": "coldmigrate", "always_online": True},
        "slash_commands": [
            {
                "command": "/coldmigrate",
                "description": "Plan a cold migration of a VM to a site",
                "usage_hint": "<vm> <site> | list | show <job> | cancel <job> | retry <job> | help",
                "should_escape": False,
            },
            {
                "command": "/diagnose",
                "description": "Say why a copy of a VM failed, from the hosts' logs",
                "usage_hint": "<vm, host, job, task or opID> [--since 2h]",
                "should_escape": False,
            },
            {
                "command": "/nfcalerts",
                "description": "Alerts of copies that fail anywhere: what is wrong now, mutes, and where they go",
                "usage_hint": "list | status | mute <host> 2h | unmute <host> | here | off | help",
                "should_escape": False,
            },
        ],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "app_mentions:read",
                "channels:history",
                "channels:read",
                "chat:write",
                "commands",
                "files:read",
                "files:write",
                "groups:history",
                "groups:read",
                "im:history",
                "im:read",
                "im:write",
                "metadata.message:read",
                "mpim:history",
                "mpim:read",
                "usergroups:read",
            ]
        }
    },
    "settings": {
        "event_subscriptions": {"bot_events": ["app_home_opened", "app_mention", "file_shared", "message.im"]},
        "interactivity": {"is_enabled": True},
        "org_deploy_enabled": False,
        "socket_mode_enabled": True,
        "token_rotation_enabled": False,
    },
}


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="here",
    help="Where the files go; made if it is not there.",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there already.")
def init(folder: Path, force: bool) -> None:  # noqa: FBT001 - click's signature
    """Write a commented coldmigrate.toml and the manifest of the Slack app."""
    files = {
        folder / CONFIG_NAME: CONFIG,
        folder / MANIFEST_NAME: json.dumps(MANIFEST, indent=2) + "\n",
    }
    there = [path for path in files if path.exists()]
    if there and not force:
        names = " and ".join(str(path) for path in there)
        raise UserError(f"{names} would be overwritten, and nothing was written.", example="coldmigrate init --force")
    _write(folder, files)
    for path in files:
        click.echo(f"wrote {path}")
    click.echo(f"Next: make the Slack app from {MANIFEST_NAME} at https://api.slack.com/apps?new_app=1,")
    click.echo(f"then fill in {CONFIG_NAME}.")


def _write(folder: Path, files: dict[Path, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{error.filename or folder} cannot be written: {error.strerror}.") from None
