"""The only reader of the environment, of secret files and of `coldmigrate.toml`. What comes out is frozen.

Every mistake is found before anything starts, and all of them are reported together: file, key, what was expected.
Secrets are named in the file and read late, by the role that needs them: `Settings.slack_tokens` in the bot,
`Settings.vcenter_password` in workers and watchers.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo

from bot.errors import UserError

FILE_NAME: Final = "coldmigrate.toml"
PATH_VARIABLE: Final = "COLDMIGRATE_CONFIG"
REDIS_VARIABLE: Final = "REDIS_URL"

Verb = Literal["migrate", "approve", "force", "cancel", "retry", "power", "clean", "diagnose", "alerts", "see"]

_WINDOW: Final = re.compile(
    r"(?P<first>Mon|Tue|Wed|Thu|Fri|Sat|Sun)(-(?P<last>Mon|Tue|Wed|Thu|Fri|Sat|Sun))? "
    r"(?P<start>([01]\d|2[0-3]):[0-5]\d)-(?P<end>([01]\d|2[0-3]):[0-5]\d|24:00) (?P<zone>\S+)",
    re.ASCII,
)
_MOMENT: Final = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})([ T](?P<clock>([01]\d|2[0-3]):[0-5]\d)(:00)?)?( (?P<zone>\S+))?", re.ASCII
)
_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")
_HUNDRED: Final = 100.0


def _window(text: str) -> str:
    found = _WINDOW.fullmatch(text)
    if not found:
        raise ValueError("not a window")
    _zone(found["zone"])
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("not a time zone") from error
    return name


def _as_text(given: object) -> object:
    """TOML has dates of its own, and who leaves the quotes out means the same."""
    return given.isoformat() if isinstance(given, date) else given


def _moment(text: str) -> str:
    _instant(text, ZoneInfo("UTC"), whole_day=False)
    return text


def _instant(text: str, zone: ZoneInfo, *, whole_day: bool) -> datetime:
    """The moment that is written; of a day without a time its beginning, or for `whole_day` its end. Or ValueError."""
    found = _MOMENT.fullmatch(text)
    if not found:
        raise ValueError("not a date")
    zone = ZoneInfo(_zone(found["zone"])) if found["zone"] else zone
    day = datetime.fromisoformat(f"{found['day']} {found['clock'] or '00:00'}").replace(tzinfo=zone)
    return day + timedelta(days=1) if whole_day and not found["clock"] else day


def _share(text: str) -> str:
    found = _PERCENT.fullmatch(text)
    if not found or float(found[1]) > _HUNDRED:
        raise ValueError("not a percentage")
    return text


Window = Annotated[str, AfterValidator(_window)]
Zone = Annotated[str, AfterValidator(_zone)]
Moment = Annotated[str, BeforeValidator(_as_text), AfterValidator(_moment)]
Percentage = Annotated[str, AfterValidator(_share)]
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


class _Table(BaseModel):
    """A table of the file. `description` of a field is what a mistake in it is told to be instead."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Slack(_Table):
    """[slack]: read by the bot alone."""

    app_token_env: Text | None = Field(None, description='the name of a variable, "SLACK_APP_TOKEN"')
    app_token_file: Text | None = Field(None, description="the path of a file that holds the token")
    bot_token_env: Text | None = Field(None, description='the name of a variable, "SLACK_BOT_TOKEN"')
    bot_token_file: Text | None = Field(None, description="the path of a file that holds the token")
    api_url: HttpUrl = Field("https://slack.com/api/", description='a URL, "https://slack-gov.com/api/"')
    admins: tuple[User, ...] = Field((), description='Slack user ids, ["U0456"]', strict=False)


class Redis(_Table):
    """[redis]: the variable REDIS_URL goes before `url`, and alone may hold a password in the URL."""

    url: Text | None = Field(None, description='a URL without a password, "redis://redis.example.net:6379/0"')
    password_env: Text | None = Field(None, description="the name of a variable")
    password_file: Text | None = Field(None, description="the path of a file that holds the password")
    ca_file: Text | None = Field(None, description="the path of a PEM file")
    confirm_replicas: int | None = Field(None, ge=0, le=10, description="how many replicas, 0 to 10")
    confirm_disk: bool = Field(False, description="true or false")


class VCenter(_Table):
    """[vcenters.<name>]: how workers and watchers log in."""

    url: HttpsUrl = Field(description='an https URL, "https://vc-east.example.net"')
    user: Text = Field(description='an account, "svc-coldmigrate@vsphere.local"')
    password_env: Text | None = Field(None, description="the name of a variable")
    password_file: Text | None = Field(None, description="the path of a file that holds the password")
    ca_file: Text | None = Field(None, description="the path of a PEM file")
    thumbprint: Thumbprint | None = Field(None, description='the certificate\'s SHA-1 or SHA-256, "AA:BB:..."')


class Site(_Table):
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


class Link(_Table):
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
        return float(self.max_loss.rstrip(" %")) / _HUNDRED


class Freeze(_Table):
    """[[freezes]]: a time in which nothing is started."""

    from_: Moment = Field(alias="from", description='a day or a time, "2026-12-20" or "2026-12-20 18:00 Europe/Berlin"')
    to: Moment = Field(description='a day, which is still frozen, or a time: "2027-01-04" or "2027-01-04 06:00"')
    sites: tuple[Text, ...] = Field(("*",), min_length=1, description='names of sites, or ["*"]', strict=False)
    why: Text = Field(description='the reason that people are told, "year-end closing"')

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From when until before when; `zone` counts where none is named."""
        return _instant(self.from_, zone, whole_day=False), _instant(self.to, zone, whole_day=True)


class Right(_Table):
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


class Allow(_Table):
    """[allow]: what may be done to VMs and datastores beyond a relocation. Nothing of it, until this says so."""

    shutdown: bool = Field(False, description="true or false")
    power_off: bool = Field(False, description="true or false")
    power_on: bool = Field(False, description="true or false")
    drives: bool = Field(False, description="true or false")
    consolidate: bool = Field(False, description="true or false")
    delete_leftovers: bool = Field(False, description="true or false")
    canary: bool = Field(False, description="true or false")


class Alerts(_Table):
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


class Sink(_Table):
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


class Watch(_Table):
    """[watch]: what is watched on every host, and how much that may cost."""

    logs: tuple[LogName, ...] = Field(
        ("vpxa", "hostd"), min_length=1, description='names of logs, ["vpxa", "hostd"]', strict=False
    )
    api_hosts: int = Field(20, ge=0, le=1000, description="hosts of a vCenter, 0 to 1000")
    api_calls_per_second: float = Field(5, gt=0, le=100, strict=False, description="calls to a vCenter, up to 100")
    lines_per_second: int = Field(2000, ge=100, le=100_000, description="lines of one host, 100 to 100000")


class Syslog(_Table):
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


class Source(_Table):
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


class Diagnosis(_Table):
    """[diagnosis]: what failures are told by."""

    rules: Text | None = Field(None, description='the path of a folder of rule files, "/etc/coldmigrate/rules"')


class Capacity(_Table):
    """[capacity]: how many migrations may use one host, or one datastore, at once; a link says so itself."""

    per_host: int = Field(4, ge=1, le=100, description="migrations, 1 to 100")
    per_datastore: int = Field(4, ge=1, le=100, description="migrations, 1 to 100")


class Work(_Table):
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


class Health(_Table):
    """[health]: where a role tells how it is."""

    port: int = Field(0, ge=0, le=65535, description="a port, 1 to 65535, or 0 for none")


@dataclass(frozen=True, slots=True)
class SlackTokens:
    """What the bot logs in with."""

    app: SecretStr
    bot: SecretStr


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is and what it has to confirm, for who needs nothing else of the config."""

    url: SecretStr
    ca_file: Path | None = None
    confirm_replicas: int | None = None
    confirm_disk: bool = False


class Settings(_Table):
    """The whole file. Made by `load`."""

    timezone: Zone = Field("UTC", description='a time zone, "Europe/Berlin"')
    slack: Slack = Slack()
    redis: Redis = Redis()
    vcenters: dict[str, VCenter] = Field(default_factory=dict)
    sites: dict[str, Site] = Field(default_factory=dict)
    links: tuple[Link, ...] = Field((), strict=False)
    freezes: tuple[Freeze, ...] = Field((), strict=False)
    rights: tuple[Right, ...] = Field((), strict=False)
    allow: Allow = Allow()
    lists: dict[str, Names] = Field(default_factory=dict, description='1 to 200 names of VMs, ["web01", "web02"]')
    alerts: Alerts | None = None
    sinks: tuple[Sink, ...] = Field((), strict=False)
    watch: Watch = Watch()
    syslog: Syslog = Syslog()
    sources: tuple[Source, ...] = Field((), strict=False)
    capacity: Capacity = Capacity()
    worker: Work = Work()
    diagnosis: Diagnosis = Diagnosis()
    health: Health = Health()

    _environ: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _file: Path = PrivateAttr(default=Path(FILE_NAME))

    def slack_tokens(self) -> SlackTokens:
        """For the bot alone. Raises `UserError` naming the key whose variable or file is missing."""
        return SlackTokens(
            self._secret(self.slack, "slack", "app_token"), self._secret(self.slack, "slack", "bot_token")
        )

    def vcenter_password(self, name: str) -> SecretStr:
        """For workers and watchers alone. Raises `UserError` naming the key whose variable or file is missing."""
        return self._secret(self.vcenters[name], f"vcenters.{name}", "password")

    def source_password(self, number: int) -> SecretStr:
        """Of the `[[sources]]` table of this number, from 0. For watchers alone. Raises `UserError` as above."""
        return self._secret(self.sources[number], f"sources[{number + 1}]", "password")

    def sink_secret(self, number: int, name: str) -> SecretStr:
        """`name` of the `[[sinks]]` table of this number, from 0: "routing_key", "api_token" or "secret".

        For watchers alone. Raises `UserError` as the others do.
        """
        return self._secret(self.sinks[number], f"sinks[{number + 1}]", name)

    @property
    def sink_names(self) -> tuple[str, ...]:
        """The sinks' names, in their order; who has none is called by the kind, from the second on with a number."""
        taken = {sink.name.casefold() for sink in self.sinks if sink.name is not None}
        names: list[str] = []
        for sink in self.sinks:
            numbered = (sink.kind if number == 1 else f"{sink.kind} {number}" for number in count(1))
            names.append(sink.name or next(name for name in numbered if name not in {*taken, *names}))
        return tuple(names)

    def redis_url(self) -> SecretStr | None:
        """Where Redis is, with its password: the variable REDIS_URL, else the file; None if neither says."""
        if url := self._environ.get(REDIS_VARIABLE):
            return SecretStr(url)
        if self.redis.url is None:
            return None
        if self.redis.password_env is None and self.redis.password_file is None:
            return SecretStr(self.redis.url)
        password = self._secret(self.redis, "redis", "password").get_secret_value()
        return SecretStr(_with_password(self.redis.url, password))

    def path(self, text: str | None) -> Path | None:
        """A path of the file; a relative one starts where the file is."""
        return None if text is None else self._file.parent / Path(text).expanduser()

    @property
    def zone(self) -> ZoneInfo:
        """What `timezone` names."""
        return ZoneInfo(self.timezone)

    def slots(self) -> dict[str, int]:
        """How many migrations may cross each link, by the link's name."""
        return {link.name: link.slots for link in self.links}

    def max_loss(self) -> dict[str, float]:
        """The share of packets that each link may lose, by the link's name."""
        return {link.name: link.largest_loss for link in self.links}

    def canaries(self) -> dict[str, str]:
        """The VM that tries each link that has one, by the link's name."""
        return {link.name: link.canary for link in self.links if link.canary is not None}

    def _secret(self, table: _Table, where: str, name: str) -> SecretStr:
        variable, file = getattr(table, f"{name}_env"), getattr(table, f"{name}_file")
        if variable:
            value = self._environ.get(variable, "").strip()
            if not value:
                raise UserError(f"{self._file}: {where}.{name}_env names {variable}, and that variable is not set.")
        elif file:
            value = self._read(f"{where}.{name}_file", file)
        else:
            raise UserError(f"{self._file}: {where} has neither {name}_env nor {name}_file, and one of them is needed.")
        return SecretStr(value)

    def _read(self, key: str, file: str) -> str:
        path = self.path(file)
        assert path is not None  # noqa: S101 - `file` is text
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text"
            raise UserError(f"{self._file}: {key} names {path}, and it cannot be read: {reason}.") from None
        if not value:
            raise UserError(f"{self._file}: {key} names {path}, and that file is empty.")
        return value

    def _made_from(self, file: Path, environ: Mapping[str, str]) -> Self:
        self._environ, self._file = dict(environ), file
        return self


def with_environment(additions: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with `additions`, for a child process that is one of our roles."""
    return {**os.environ, **additions}  # noqa: TID251 - the one reader


def find(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """The file that `load` reads: `path`, else $COLDMIGRATE_CONFIG, else ./coldmigrate.toml."""
    variables = os.environ if environ is None else environ  # noqa: TID251 - the one reader
    return path or Path(variables.get(PATH_VARIABLE) or FILE_NAME)


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the config. Raises one `UserError` that lists every mistake in it."""
    variables = os.environ if environ is None else environ  # noqa: TID251 - the one reader
    file = find(path, variables)
    raw = _parse(file)
    mistakes = list(_cross_checks(raw))
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        mistakes = [*_shape_mistakes(error), *mistakes]
    if mistakes:
        count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise UserError("\n".join([f"{file} has {count}:", *(f"  {mistake}" for mistake in mistakes)]))
    return settings._made_from(file, variables)  # noqa: SLF001 - ours, above


def redis_address(path: Path | None = None, environ: Mapping[str, str] | None = None) -> RedisAddress:
    """What leads to Redis, for who needs nothing else: REDIS_URL alone is enough, without any file."""
    variables = os.environ if environ is None else environ  # noqa: TID251 - the one reader
    file = find(path, variables)
    if path is None and REDIS_VARIABLE in variables and not file.exists():
        return RedisAddress(SecretStr(variables[REDIS_VARIABLE]))
    settings = load(file, variables)
    url = settings.redis_url()
    if url is None:
        raise UserError(f"{file} does not say where Redis is: set redis.url or the variable {REDIS_VARIABLE}.")
    redis = settings.redis
    return RedisAddress(url, settings.path(redis.ca_file), redis.confirm_replicas, redis.confirm_disk)


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"There is no config at {file}.", example="coldmigrate init") from None
    except UnicodeDecodeError:
        raise UserError(f"{file} is not UTF-8 text.") from None
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{file} is not TOML: {error}. (A table or key may stand there only once.)") from None


# ---- mistakes: what the models say, in sentences


_TABLES: Final[Mapping[str, type[_Table]]] = {
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
_SINGLE: Final = frozenset(
    {"slack", "redis", "allow", "alerts", "watch", "syslog", "capacity", "worker", "diagnosis", "health"}
)
_LISTS: Final = frozenset({"links", "freezes", "rights", "sinks", "sources"})
_REDIS_FORMS: Final = ("unix", *(f"redis{s}{kind}" for s in ("", "s") for kind in ("", "+sentinel", "+cluster")))
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_SECRETS: Final = (  # table, secret, whether the file must say where it is
    ("slack", "app_token", False),
    ("slack", "bot_token", False),
    ("redis", "password", False),
    ("vcenters", "password", True),
)
_PASSWORD: Final = frozenset({"password_env", "password_file"})
_SOURCE_KEYS: Final = {  # by the kind: what it cannot do without, and what else belongs to it
    "syslog": (frozenset[str](), frozenset[str]()),
    "ssh": (frozenset({"user", "key_file", "known_hosts_file"}), frozenset({"port", "path"})),
    "https": (frozenset({"user"}), frozenset({"port", "ca_file", "every_seconds", *_PASSWORD})),
    "api": (frozenset[str](), frozenset[str]()),
    "files": (frozenset({"path"}), frozenset[str]()),
    "none": (frozenset[str](), frozenset[str]()),
}
_SINK_SECRETS: Final = {"pagerduty": ("routing_key", "api_token"), "webhook": ("secret",)}
"""By the kind; without the first it cannot do."""

_SINK_KEYS: Final = {
    "pagerduty": frozenset({"escalation_policy", "url", "ca_file"}),
    "webhook": frozenset({"url", "ca_file"}),
}
_ANYWHERE: Final = frozenset({"kind", "name", "sites", "hosts", "causes", "hours", "after_minutes"})
_CAUSES: Final = """
    packet_loss port_blocked dns_resolution tls_certificate authd_unresponsive ticket_permission nat mtu_mismatch
    provisioning_path udt_path idle_timeout_reset nfc_memory_limit dest_full source_file_missing file_locked
    disk_io_error disk_format host_agent_down timeout_slow_link version_incompat cbt_snapshot client_defect
    undetermined
    """.split()  # noqa: SIM905 - a list of words reads better than twenty quoted ones
"""Those of `bot.diagnosis`, which is above this room; a test holds them together."""

_LOOPBACK: Final = re.compile(r"http://(127(\.\d+){3}|localhost|\[::1\])(:\d+)?(/|$)", re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(r"\{([^}]*)\}?")


def _shape_mistakes(error: ValidationError) -> list[str]:
    sentences = [_sentence(detail["type"], detail["loc"]) for detail in error.errors(include_input=False)]
    return list(dict.fromkeys(sentences))  # each element of a wrong list says the same


def _sentence(kind: str, place: tuple[int | str, ...]) -> str:
    table, *rest = place
    depth = 1 if table in _SINGLE else 2
    model = _TABLES.get(str(table))
    field = place[depth] if len(place) > depth else None
    key = _key(place[: depth + 1])
    if kind == "extra_forbidden":
        known = keys(model or Settings)
        return f"{key} is not a key here{_instead(str(place[-1]), known)}"
    expected = _expected(model, field) if model else _expected(Settings, table)
    if model and not rest and table in _LISTS:
        expected = f"[[{table}]] tables"
    missing = kind == "missing" and len(place) == depth + 1
    return f"{key} is missing; expected {expected}" if missing else f"{key}: expected {expected}"


def keys(table: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a table under the names that they have in the file."""
    return {field.alias or name: field for name, field in table.model_fields.items()}


def _expected(table: type[BaseModel], key: object) -> str:
    found = keys(table).get(str(key))
    return (found and found.description) or "a table"


def _key(place: Iterable[int | str]) -> str:
    """A place in the file as people write it; tables of a list are counted from 1."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _instead(word: str, known: Iterable[str]) -> str:
    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {close[0]}?" if close else f"; expected one of {', '.join(words)}"


# ---- mistakes that show only when tables are read together; the file may be wrong in other ways at the same time


def _cross_checks(raw: Mapping[str, Any]) -> Iterator[str]:
    yield from _check_names(raw)
    yield from _check_secrets(raw)
    yield from _check_redis(raw)
    yield from _check_vcenters(raw)
    yield from _check_sites(raw)
    yield from _check_links(raw)
    yield from _check_freezes(raw)
    yield from _check_rights(raw)
    yield from _check_lists(raw)
    yield from _check_syslog(raw)
    yield from _check_sources(raw)
    yield from _check_sinks(raw)


def _tables(raw: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every table of that name with its key, whatever shape the rest of the file has."""
    found = raw.get(name)
    if name in _SINGLE:
        found = {"": found}
    numbered = enumerate(found) if isinstance(found, list) else found.items() if isinstance(found, dict) else ()
    for label, table in numbered:
        if isinstance(table, dict):
            yield name if label == "" else _key((name, label)), table


def _names(raw: Mapping[str, Any], table: str) -> list[str]:
    found = raw.get(table)
    return list(found) if isinstance(found, dict) else []


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _check_names(raw: Mapping[str, Any]) -> Iterator[str]:
    for table in ("vcenters", "sites", "lists"):
        by_folded: dict[str, str] = {}
        for name in _names(raw, table):
            if not _NAME.fullmatch(name):
                yield f"{table}.{name}: expected a name of letters, digits, '-', '_' and '.'"
            twin = by_folded.setdefault(name.casefold(), name)
            if twin != name:
                yield f"{table}.{name}: expected a name of its own, and {table}.{twin} differs only in capitals"


def _check_secrets(raw: Mapping[str, Any]) -> Iterator[str]:
    for table, secret, needed in _SECRETS:
        for key, found in _tables(raw, table):
            yield from _check_secret(key, found, secret, needed=needed)


def _check_secret(key: str, table: Mapping[str, Any], secret: str, *, needed: bool) -> Iterator[str]:
    given = [name for name in (f"{secret}_env", f"{secret}_file") if name in table]
    if len(given) > 1 or (needed and not given):
        yield f"{key}: expected one of {secret}_env and {secret}_file, found {'both' if given else 'neither'}"


def _check_redis(raw: Mapping[str, Any]) -> Iterator[str]:
    for key, redis in _tables(raw, "redis"):
        url = redis.get("url")
        if not isinstance(url, str):
            continue
        scheme, _, rest = url.partition("://")
        if scheme not in _REDIS_FORMS or not rest:
            yield f"{key}.url: expected redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://"
        elif ":" in rest.rpartition("@")[0]:
            yield f"{key}.url: expected no password in it, but in password_env, password_file or {REDIS_VARIABLE}"


def _check_vcenters(raw: Mapping[str, Any]) -> Iterator[str]:
    for key, vcenter in _tables(raw, "vcenters"):
        if "ca_file" in vcenter and "thumbprint" in vcenter:
            yield f"{key}: expected ca_file or thumbprint, found both"


def _check_sites(raw: Mapping[str, Any]) -> Iterator[str]:
    known = _names(raw, "vcenters")
    for key, site in _tables(raw, "sites"):
        vcenter = site.get("vcenter")
        if isinstance(vcenter, str) and vcenter not in known:
            yield f'{key}.vcenter: "{vcenter}" is no [vcenters] table{_instead(vcenter, known) if known else ""}'
        if ("cluster" in site) == ("host" in site):
            yield f"{key}: expected one of cluster and host, found {'both' if 'host' in site else 'neither'}"


def _check_links(raw: Mapping[str, Any]) -> Iterator[str]:
    known = _names(raw, "sites")
    seen: set[frozenset[str]] = set()
    canaries: dict[str, str] = {}
    for key, link in _tables(raw, "links"):
        ends = _texts(link.get("between"))
        yield from _unknown_sites(f"{key}.between", ends, known)
        pair = frozenset(ends)
        if len(ends) == 2 and len(pair) == 1:  # noqa: PLR2004 - a pair
            yield f'{key}.between: expected two different sites, found "{ends[0]}" twice'
        elif pair in seen:
            yield f"{key}.between: expected each pair once, and {' and '.join(sorted(pair))} had theirs"
        seen.add(pair)
        canary = link.get("canary")
        if isinstance(canary, str) and (other := canaries.setdefault(canary.casefold(), key)) != key:
            yield f"{key}.canary: expected a VM of its own, and {other} has {canary}"


def _check_freezes(raw: Mapping[str, Any]) -> Iterator[str]:
    known = _names(raw, "sites")
    for key, freeze in _tables(raw, "freezes"):
        yield from _unknown_sites(f"{key}.sites", [site for site in _texts(freeze.get("sites")) if site != "*"], known)
        try:
            zone = ZoneInfo(_zone(str(raw.get("timezone", "UTC"))))
            begin = _instant(str(_as_text(freeze.get("from"))), zone, whole_day=False)
            end = _instant(str(_as_text(freeze.get("to"))), zone, whole_day=True)
        except (ValueError, OverflowError):
            continue  # which is told where the shape is checked
        if end <= begin:
            yield f"{key}.to: expected a time after {freeze['from']}, found {freeze['to']}"


def _check_rights(raw: Mapping[str, Any]) -> Iterator[str]:
    known = _names(raw, "sites")
    for key, right in _tables(raw, "rights"):
        yield from _unknown_sites(f"{key}.sites", [site for site in _texts(right.get("sites")) if site != "*"], known)


def _check_lists(raw: Mapping[str, Any]) -> Iterator[str]:
    found = raw.get("lists")
    for name, vms in found.items() if isinstance(found, dict) else ():
        for vm, times in Counter(_texts(vms)).items():
            if times > 1:
                yield f'lists.{name}: expected each VM once, found "{vm}" {times} times'


def _check_syslog(raw: Mapping[str, Any]) -> Iterator[str]:
    for key, syslog in _tables(raw, "syslog"):
        files = [name for name in ("cert_file", "key_file") if name not in syslog]
        if _opens(syslog, "tls") and files:
            yield f"{key}: expected {' and '.join(files)} for the port tls"
        if not _opens(syslog, "tls"):
            for name in ("cert_file", "key_file", "client_ca_file"):
                if name in syslog:
                    yield f"{key}.{name}: expected a port tls that it is for"
        if _opens(syslog, "tcp") and syslog.get("tcp") == syslog.get("tls"):
            yield f"{key}.tls: expected another port than tcp, found {syslog['tls']} for both"


def _opens(syslog: Mapping[str, Any], *names: str) -> bool:
    return any(isinstance(syslog.get(name), int) and syslog[name] > 0 for name in names)


def _check_sources(raw: Mapping[str, Any]) -> Iterator[str]:
    sites, hosts = _names(raw, "sites"), dict[str, str]()
    listens = any(_opens(syslog, "udp", "tcp", "tls") for _, syslog in _tables(raw, "syslog"))
    for key, source in _tables(raw, "sources"):
        yield from _unknown_sites(f"{key}.sites", _texts(source.get("sites")), sites)
        if not source.get("sites") and not source.get("hosts"):
            yield f"{key}: expected sites or hosts that it is for, found neither"
        for host in _texts(source.get("hosts")):
            if (other := hosts.setdefault(host.casefold().rstrip("."), key)) != key:
                yield f'{key}.hosts: expected each host once, and {other} has "{host}"'
        kind = source.get("kind")
        if not isinstance(kind, str) or kind not in _SOURCE_KEYS:
            continue  # which is told where the shape is checked
        needed, others = _SOURCE_KEYS[kind]
        yield from _check_keys(key, source, kind, needed=needed, others=others)
        if kind == "https":
            yield from _check_secret(key, source, "password", needed=True)
        if kind == "files":
            yield from _check_path(f"{key}.path", source.get("path"))
        if kind == "syslog" and not listens:
            yield f"{key}.kind: expected a port in [syslog] where these logs come in, found none"


def _check_path(key: str, path: Any) -> Iterator[str]:
    if not isinstance(path, str):
        return
    found = _PLACEHOLDER.findall(path)
    if "host" not in found:
        yield f"{key}: expected {{host}} in it, where the name of the host stands"
    for word in found:
        if word not in {"host", "log"}:
            yield f'{key}: expected {{host}} and {{log}} alone in braces, found "{word}"'


def _check_keys(
    key: str, table: Mapping[str, Any], kind: str, *, needed: Iterable[str], others: Iterable[str]
) -> Iterator[str]:
    """What a table of that kind lacks, and what in it is for another kind."""
    for name in sorted(needed):
        if name not in table:
            yield f'{key}.{name} is missing; expected it of kind "{kind}"'
    model = _TABLES["sources" if key.startswith("sources") else "sinks"]
    for name in table:
        if name in keys(model) and name not in {*needed, *others, *_ANYWHERE}:
            yield f'{key}.{name}: expected no such key of kind "{kind}"'


def _check_sinks(raw: Mapping[str, Any]) -> Iterator[str]:
    sites, names = _names(raw, "sites"), dict[str, str]()
    for key, sink in _tables(raw, "sinks"):
        yield from _unknown_sites(f"{key}.sites", [site for site in _texts(sink.get("sites")) if site != "*"], sites)
        for cause in _texts(sink.get("causes")):
            if cause not in {"*", *_CAUSES}:
                yield f'{key}.causes: "{cause}" is no cause{_instead(cause, _CAUSES)}'
        name = sink.get("name")
        if isinstance(name, str) and (other := names.setdefault(name.casefold(), key)) != key:
            yield f"{key}.name: expected a name of its own, and {other} is called {name}"
        kind = sink.get("kind")
        if isinstance(kind, str) and kind in _SINK_KEYS:
            yield from _check_sink(key, sink, kind)


def _check_sink(key: str, sink: Mapping[str, Any], kind: str) -> Iterator[str]:
    secrets = _SINK_SECRETS[kind]
    for number, secret in enumerate(secrets):
        yield from _check_secret(key, sink, secret, needed=number == 0)
    belongs = {f"{secret}_{way}" for secret in secrets for way in ("env", "file")}
    needed = {"url"} if kind == "webhook" else set[str]()
    yield from _check_keys(key, sink, kind, needed=needed, others=belongs | _SINK_KEYS[kind])
    url = sink.get("url")
    if isinstance(url, str) and url.startswith("http://") and not _LOOPBACK.match(url):
        yield f"{key}.url: expected https, which nobody else on the way can read"
    if kind == "pagerduty" and "escalation_policy" in sink and not {"api_token_env", "api_token_file"} & set(sink):
        yield f"{key}.escalation_policy: expected one of api_token_env and api_token_file beside it, found neither"


def _unknown_sites(key: str, sites: Iterable[str], known: list[str]) -> Iterator[str]:
    for site in sites:
        if site not in known:
            yield f'{key}: "{site}" is no [sites] table{_instead(site, known) if known else ""}'


def _with_password(url: str, password: str) -> str:
    scheme, _, rest = url.partition("://")
    user, at, where = rest.rpartition("@")
    return f"{scheme}://{user if at else ''}:{quote(password, safe='')}@{where}"
