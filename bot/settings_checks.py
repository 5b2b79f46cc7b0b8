"""Mistakes of `coldmigrate.toml` that show only when its tables are read together.

They are sought in the raw file, which may be wrong in other ways at the same time: whatever shape it has, nothing here
stumbles over it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.settings_forms import as_text, instant, instead, key_of, zone_name
from bot.settings_tables import REDIS_VARIABLE, SINGLE, TABLES, keys

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
_PATTERN: Final = frozenset("*?[]/ ")
_ANYWHERE: Final = frozenset({"kind", "name", "sites", "hosts", "causes", "hours", "after_minutes"})
CAUSES: Final = """
    packet_loss port_blocked dns_resolution tls_certificate authd_unresponsive ticket_permission nat mtu_mismatch
    provisioning_path udt_path idle_timeout_reset nfc_memory_limit dest_full source_file_missing file_locked
    disk_io_error disk_format host_agent_down timeout_slow_link version_incompat cbt_snapshot client_defect
    undetermined
    """.split()  # noqa: SIM905 - a list of words reads better than twenty quoted ones
"""Those of `bot.diagnosis`, which is above this room; a test holds them together."""

_LOOPBACK: Final = re.compile(r"http://(127(\.\d+){3}|localhost|\[::1\])(:\d+)?(/|$)", re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(r"\{([^}]*)\}?")


def cross_checks(raw: Mapping[str, Any]) -> Iterator[str]:
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
    if name in SINGLE:
        found = {"": found}
    numbered = enumerate(found) if isinstance(found, list) else found.items() if isinstance(found, dict) else ()
    for label, table in numbered:
        if isinstance(table, dict):
            yield name if label == "" else key_of((name, label)), table


def _names(raw: Mapping[str, Any], table: str) -> list[str]:
    found = raw.get(table)
    return list(found) if isinstance(found, dict) else []


def texts(value: Any) -> list[str]:
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
            yield f'{key}.vcenter: "{vcenter}" is no [vcenters] table{instead(vcenter, known) if known else ""}'
        if ("cluster" in site) == ("host" in site):
            yield f"{key}: expected one of cluster and host, found {'both' if 'host' in site else 'neither'}"


def _check_links(raw: Mapping[str, Any]) -> Iterator[str]:
    known = _names(raw, "sites")
    seen: set[frozenset[str]] = set()
    canaries: dict[str, str] = {}
    for key, link in _tables(raw, "links"):
        ends = texts(link.get("between"))
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
        yield from _unknown_sites(f"{key}.sites", [site for site in texts(freeze.get("sites")) if site != "*"], known)
        try:
            zone = ZoneInfo(zone_name(str(raw.get("timezone", "UTC"))))
            begin = instant(str(as_text(freeze.get("from"))), zone, whole_day=False)
            end = instant(str(as_text(freeze.get("to"))), zone, whole_day=True)
        except (ValueError, OverflowError):
            continue  # which is told where the shape is checked
        if end <= begin:
            yield f"{key}.to: expected a time after {freeze['from']}, found {freeze['to']}"


def _check_rights(raw: Mapping[str, Any]) -> Iterator[str]:
    known = _names(raw, "sites")
    for key, right in _tables(raw, "rights"):
        yield from _unknown_sites(f"{key}.sites", [site for site in texts(right.get("sites")) if site != "*"], known)


def _check_lists(raw: Mapping[str, Any]) -> Iterator[str]:
    found = raw.get("lists")
    for name, vms in found.items() if isinstance(found, dict) else ():
        for vm, times in Counter(texts(vms)).items():
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
        yield from _unknown_sites(f"{key}.sites", texts(source.get("sites")), sites)
        if not source.get("sites") and not source.get("hosts"):
            yield f"{key}: expected sites or hosts that it is for, found neither"
        for host in texts(source.get("hosts")):
            if set(host) & _PATTERN:
                yield f'{key}.hosts: "{host}" is no name of a host; expected whole names, or sites'
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
    model = TABLES["sources" if key.startswith("sources") else "sinks"]
    for name in table:
        if name in keys(model) and name not in {*needed, *others, *_ANYWHERE}:
            yield f'{key}.{name}: expected no such key of kind "{kind}"'


def _check_sinks(raw: Mapping[str, Any]) -> Iterator[str]:
    sites, names = _names(raw, "sites"), dict[str, str]()
    for key, sink in _tables(raw, "sinks"):
        yield from _unknown_sites(f"{key}.sites", [site for site in texts(sink.get("sites")) if site != "*"], sites)
        for cause in texts(sink.get("causes")):
            if cause not in {"*", *CAUSES}:
                yield f'{key}.causes: "{cause}" is no cause{instead(cause, CAUSES)}'
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
            yield f'{key}: "{site}" is no [sites] table{instead(site, known) if known else ""}'
