"""The tables of `coldmigrate.toml`, one by one. What shows only when they are read together is in `settings_checks`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo

from bot.settings_forms import HUNDRED, as_text, instant, moment, share, window, zone_name

REDIS_VARIABLE: Final = "REDIS_URL"

Verb = Literal["migrate", "approve", "force", "cancel", "retry", "power", "clean", "diagnose", "alerts", "see"]

Window = Annotated[str, AfterValidator(window)]
Zone = Annotated[str, AfterValidator(zone_name)]
Moment = Annotated[str, BeforeValidator(as_text), AfterValidator(moment)]
Percentage = Annotated[str, AfterValidator(share)]
Text = Annotated[str, Field(min_length=1)]
HttpsUrl = Annotated[str, Field(pattern=r"^https://[^/\s@]+/?$")]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^/\s@]+(/.*)?$")]
Thumbprint = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){19}(:[0-9A-Fa-f]{2}){0,44}$")]
Who = Annotated[str, Field(pattern=r"^(user:[UW][A-Z0-9]+|group:S[A-Z0-9]+|channel:[CG][A-Z0-9]+)$")]
Names = Annotated[tuple[Text, ...], Field(min_length=1, max_length=200, strict=False)]
User = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]+$")]
Channel = Annotated[str, Field(pattern=r"^[CG][A-Z0-9]+$")]
DayTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
LogName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
SinkName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,62}$")]
Client = Literal["migration", "backup", "replication", "other"]
SourceKind = Literal["syslog", "ssh", "https", "api", "files", "none"]


class Table(BaseModel):
    """A table of the file. `description` of a field is what a mistake in it is told to be instead."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Slack(Table):
    """[slack]: read by the bot alone."""

    app_token_env: Text | None = Field(None, description='the name of a variable, "SLACK_APP_TOKEN"')
    app_token_file: Text | None = Field(None, description="the path of a file that holds the token")
    bot_token_env: Text | None = Field(None, description='the name of a variable, "SLACK_BOT_TOKEN"')
    bot_token_file: Text | None = Field(None, description="the path of a file that holds the token")
    api_url: HttpUrl = Field("https://slack.com/api/", description='a URL, "https://slack-gov.com/api/"')
    admins: tuple[User, ...] = Field((), description='Slack user ids, ["U0456"]', strict=False)


class Redis(Table):
    """[redis]: the variable REDIS_URL goes before `url`, and alone may hold a password in the URL."""

    url: Text | None = Field(None, description='a URL without a password, "redis://redis.example.net:6379/0"')
    password_env: Text | None = Field(None, description="the name of a variable")
    password_file: Text | None = Field(None, description="the path of a file that holds the password")
    ca_file: Text | None = Field(None, description="the path of a PEM file")
    confirm_replicas: int | None = Field(None, ge=0, le=10, description="how many replicas, 0 to 10")
    confirm_disk: bool = Field(False, description="true or false")


class VCenter(Table):
    """[vcenters.<name>]: how workers and watchers log in."""

    url: HttpsUrl = Field(description='an https URL, "https://vc-east.example.net"')
    user: Text = Field(description='an account, "svc-coldmigrate@vsphere.local"')
    password_env: Text | None = Field(None, description="the name of a variable")
    password_file: Text | None = Field(None, description="the path of a file that holds the password")
    ca_file: Text | None = Field(None, description="the path of a PEM file")
    thumbprint: Thumbprint | None = Field(None, description='the certificate\'s SHA-1 or SHA-256, "AA:BB:..."')


class Site(Table):
    """[sites.<name>]: a place that VMs move to and from."""

    vcenter: Text = Field(description="the name of a [vcenters.<name>] table")
    datacenter: Text = Field(description='the name of a datacenter, "DC1"')
    cluster: Text | None = Field(None, description='the name of a cluster, "C1"')
    host: Text | None = Field(None, description='the name of a host, "esx-01.example.net"')
    datastore: Text = Field(description='the name of a datastore, "ds-c1-01"')
    folder: Text | None = Field(None, description='a VM folder, "Migrated"')
    networks: dict[str, Text] = Field(
        default_factory=dict, description='networks there and here, { "VM Network" = "VM Network" }'
    )
    windows: tuple[Window, ...] = Field(
        (), description='windows such as "Mon-Fri 20:00-06:00 Europe/Berlin"', strict=False
    )
    approval: Literal["requester", "second-person"] = Field("requester", description='"requester" or "second-person"')
    warnings: Literal["approve", "force"] = Field("approve", description='"approve" or "force"')


class Link(Table):
    """[[links]]: the WAN between two sites."""

    between: tuple[Text, Text] = Field(description='two sites, ["site1", "site2"]', strict=False)
    slots: int = Field(2, ge=1, le=100, description="how many migrations may cross it at once, 1 to 100")
    max_loss: Percentage = Field("0.1 %", description='a percentage, "0.1 %"')
    canary: Text | None = Field(None, description='the name, path or UUID of a small powered-off VM, "canary01"')

    @property
    def name(self) -> str:
        """The same in both directions: `site1~site2`."""
        return "~".join(sorted(self.between))

    @property
    def largest_loss(self) -> float:
        """`max_loss` as a share of 1."""
        return float(self.max_loss.rstrip(" %")) / HUNDRED


class Freeze(Table):
    """[[freezes]]: a time in which nothing is started."""

    from_: Moment = Field(alias="from", description='a day or a time, "2026-12-20" or "2026-12-20 18:00 Europe/Berlin"')
    to: Moment = Field(description='a day, which is still frozen, or a time: "2027-01-04" or "2027-01-04 06:00"')
    sites: tuple[Text, ...] = Field(("*",), min_length=1, description='names of sites, or ["*"]', strict=False)
    why: Text = Field(description='the reason that people are told, "year-end closing"')

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From when until before when; `zone` counts where none is named."""
        return instant(self.from_, zone, whole_day=False), instant(self.to, zone, whole_day=True)


class Right(Table):
    """[[rights]]: what somebody may do, and where."""

    who: tuple[Who, ...] = Field(
        min_length=1, description='people as "user:U...", "group:S..." or "channel:C..."', strict=False
    )
    may: tuple[Verb, ...] = Field(
        min_length=1,
        description="some of migrate, approve, force, cancel, retry, power, clean, diagnose, alerts, see",
        strict=False,
    )
    sites: tuple[Text, ...] = Field(("*",), min_length=1, description='names of sites, or ["*"]', strict=False)


class Allow(Table):
    """[allow]: what may be done to VMs and datastores beyond a relocation. Nothing of it, until this says so."""

    shutdown: bool = Field(False, description="true or false")
    power_off: bool = Field(False, description="true or false")
    power_on: bool = Field(False, description="true or false")
    drives: bool = Field(False, description="true or false")
    consolidate: bool = Field(False, description="true or false")
    delete_leftovers: bool = Field(False, description="true or false")
    canary: bool = Field(False, description="true or false")


class Alerts(Table):
    """[alerts]: where new failures are announced, and how loudly."""

    channel: Channel = Field(description='a channel\'s id, "C0789NFC"')
    mode: Literal["observe", "alert"] = Field("observe", description='"observe" or "alert"')
    digest: DayTime = Field("08:00", description='a time of day, "08:00"')
    quiet_hours: tuple[Window, ...] = Field(
        (), description='windows such as "Mon-Fri 20:00-06:00 Europe/Berlin"', strict=False
    )
    clients: tuple[Client, ...] = Field(
        ("migration", "other"), description="some of migration, backup, replication, other", strict=False
    )
    hosts: int = Field(3, ge=2, le=1000, description="how many hosts make a cluster, 2 to 1000")
    resolve_after_minutes: int = Field(60, ge=5, le=10080, description="minutes, 5 to 10080")


class Sink(Table):
    """[[sinks]]: who is told when nobody acknowledges."""

    kind: Literal["pagerduty", "webhook"] = Field(description='"pagerduty" or "webhook"')
    name: SinkName | None = Field(None, description='a name of letters, digits, blanks, "-" and "_", "night shift"')
    routing_key_env: Text | None = Field(None, description="the name of a variable")
    routing_key_file: Text | None = Field(None, description="the path of a file that holds the key")
    api_token_env: Text | None = Field(None, description="the name of a variable")
    api_token_file: Text | None = Field(None, description="the path of a file that holds the token")
    escalation_policy: Text | None = Field(None, description='the id of an escalation policy, "PANZZEQ"')
    url: HttpUrl | None = Field(None, description='a URL, "https://hooks.example.net/nfc"')
    secret_env: Text | None = Field(None, description="the name of a variable")
    secret_file: Text | None = Field(None, description="the path of a file that holds the secret")
    ca_file: Text | None = Field(None, description="the path of a PEM file")
    after_minutes: int = Field(10, ge=0, le=1440, description="minutes, 0 to 1440")
    causes: tuple[Text, ...] = Field(("*",), min_length=1, description='names of causes, or ["*"]', strict=False)
    sites: tuple[Text, ...] = Field(("*",), min_length=1, description='names of sites, or ["*"]', strict=False)
    hours: tuple[Window, ...] = Field(
        (), description='windows such as "Mon-Fri 20:00-06:00 Europe/Berlin"', strict=False
    )


class Watch(Table):
    """[watch]: what is watched on every host, and how much that may cost."""

    logs: tuple[LogName, ...] = Field(
        ("vpxa", "hostd"), min_length=1, description='names of logs, ["vpxa", "hostd"]', strict=False
    )
    api_hosts: int = Field(20, ge=0, le=1000, description="hosts of a vCenter, 0 to 1000")
    api_calls_per_second: float = Field(5, gt=0, le=100, strict=False, description="calls to a vCenter, up to 100")
    lines_per_second: int = Field(2000, ge=100, le=100_000, description="lines of one host, 100 to 100000")


class Syslog(Table):
    """[syslog]: where watchers take host logs in. A port of 0 is not opened."""

    address: str = Field("", description='an address of this machine, "0.0.0.0"')
    udp: int = Field(0, ge=0, le=65535, description="a port, 1 to 65535, or 0 for none")
    tcp: int = Field(0, ge=0, le=65535, description="a port, 1 to 65535, or 0 for none")
    tls: int = Field(0, ge=0, le=65535, description="a port, 1 to 65535, or 0 for none")
    cert_file: Text | None = Field(None, description="the path of a PEM file")
    key_file: Text | None = Field(None, description="the path of a PEM file")
    client_ca_file: Text | None = Field(None, description="the path of a PEM file")

    @property
    def opens(self) -> bool:
        """Whether any port is opened."""
        return bool(self.udp or self.tcp or self.tls)


class Source(Table):
    """[[sources]]: how the logs of some hosts are read. The first that names a host counts, before any for its site."""

    kind: SourceKind = Field(description='"syslog", "ssh", "https", "api", "files" or "none"')
    sites: tuple[Text, ...] = Field((), description='names of sites, ["site1"]', strict=False)
    hosts: tuple[Text, ...] = Field((), description='names of hosts, ["esx-01.example.net"]', strict=False)
    user: Text | None = Field(None, description='an account of the hosts, "coldmigrate"')
    port: int | None = Field(None, ge=1, le=65535, description="a port, 1 to 65535")
    key_file: Text | None = Field(None, description="the path of a private key")
    known_hosts_file: Text | None = Field(None, description="the path of a known_hosts file")
    password_env: Text | None = Field(None, description="the name of a variable")
    password_file: Text | None = Field(None, description="the path of a file that holds the password")
    ca_file: Text | None = Field(None, description="the path of a PEM file")
    path: Text | None = Field(
        None, description='a path with {host} and {log}, "/var/log/esx/{host}/{log}.log"; of ssh a folder'
    )
    every_seconds: int = Field(10, ge=1, le=3600, description="seconds, 1 to 3600")


class Diagnosis(Table):
    """[diagnosis]: what failures are told by."""

    rules: Text | None = Field(None, description='the path of a folder of rule files, "/etc/coldmigrate/rules"')


class Capacity(Table):
    """[capacity]: how many migrations may use one host, or one datastore, at once; a link says so itself."""

    per_host: int = Field(4, ge=1, le=100, description="migrations, 1 to 100")
    per_datastore: int = Field(4, ge=1, le=100, description="migrations, 1 to 100")


class Work(Table):
    """[worker]: how a worker does its work."""

    lease_seconds: int = Field(30, ge=3, le=600, description="seconds, 3 to 600")
    concurrency: int = Field(64, ge=1, le=1000, description="jobs side by side, 1 to 1000")
    submit_timeout_seconds: int = Field(60, ge=1, le=600, description="seconds, 1 to 600")

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @property
    def submit_timeout(self) -> timedelta:
        return timedelta(seconds=self.submit_timeout_seconds)


class Health(Table):
    """[health]: where a role tells how it is."""

    port: int = Field(0, ge=0, le=65535, description="a port, 1 to 65535, or 0 for none")


TABLES: Final[Mapping[str, type[Table]]] = {
    "slack": Slack,
    "redis": Redis,
    "vcenters": VCenter,
    "sites": Site,
    "links": Link,
    "freezes": Freeze,
    "rights": Right,
    "allow": Allow,
    "alerts": Alerts,
    "sinks": Sink,
    "watch": Watch,
    "syslog": Syslog,
    "sources": Source,
    "capacity": Capacity,
    "worker": Work,
    "diagnosis": Diagnosis,
    "health": Health,
}
SINGLE: Final = frozenset(
    {"slack", "redis", "allow", "alerts", "watch", "syslog", "capacity", "worker", "diagnosis", "health"}
)
LISTS: Final = frozenset({"links", "freezes", "rights", "sinks", "sources"})


def keys(table: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a table under the names that they have in the file."""
    return {field.alias or name: field for name, field in table.model_fields.items()}
