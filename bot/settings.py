"""The only reader of the environment, of secret files and of `coldmigrate.toml`. What comes out is frozen.

Every mistake is found before anything starts, and all of them are reported together: file, key, what was expected.
Secrets are named in the file and read late, by the role that needs them: `Settings.slack_tokens` in the bot,
`Settings.vcenter_password` in workers and watchers.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)

from bot.errors import UserError
from bot.settings_checks import cross_checks
from bot.settings_forms import instead, key_of
from bot.settings_tables import (
    LISTS,
    REDIS_VARIABLE,
    SINGLE,
    TABLES,
    Alerts,
    Allow,
    Capacity,
    Diagnosis,
    Freeze,
    Health,
    Link,
    Names,
    Redis,
    Right,
    Sink,
    Site,
    Slack,
    Source,
    Syslog,
    Table,
    VCenter,
    Watch,
    Work,
    Zone,
    keys,
)

FILE_NAME: Final = "coldmigrate.toml"
PATH_VARIABLE: Final = "COLDMIGRATE_CONFIG"


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


class Settings(Table):
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

    def _secret(self, table: Table, where: str, name: str) -> SecretStr:
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
    mistakes = list(cross_checks(raw))
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


def _shape_mistakes(error: ValidationError) -> list[str]:
    sentences = [_sentence(detail["type"], detail["loc"]) for detail in error.errors(include_input=False)]
    return list(dict.fromkeys(sentences))  # each element of a wrong list says the same


def _sentence(kind: str, place: tuple[int | str, ...]) -> str:
    table, *rest = place
    depth = 1 if table in SINGLE else 2
    model = TABLES.get(str(table))
    field = place[depth] if len(place) > depth else None
    key = key_of(place[: depth + 1])
    if kind == "extra_forbidden":
        known = keys(model or Settings)
        return f"{key} is not a key here{instead(str(place[-1]), known)}"
    expected = _expected(model, field) if model else _expected(Settings, table)
    if model and not rest and table in LISTS:
        expected = f"[[{table}]] tables"
    missing = kind == "missing" and len(place) == depth + 1
    return f"{key} is missing; expected {expected}" if missing else f"{key}: expected {expected}"


def _expected(table: type[BaseModel], key: object) -> str:
    found = keys(table).get(str(key))
    return (found and found.description) or "a table"


def _with_password(url: str, password: str) -> str:
    scheme, _, rest = url.partition("://")
    user, at, where = rest.rpartition("@")
    return f"{scheme}://{user if at else ''}:{quote(password, safe='')}@{where}"
