"""One file and its JSON as the Web API shows it. Who may see it and how it gets here is in `files`."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from bot.playground.slack.changes import Json

PLAIN = ("text", "Plain Text", "text/plain")
BINARY = ("binary", "Binary", "application/octet-stream")
KINDS = {
    "txt": PLAIN,
    "log": PLAIN,
    "csv": ("csv", "CSV", "text/csv"),
    "json": ("json", "JSON", "application/json"),
    "gz": ("gzip", "Gzip", "application/gzip"),
    "tgz": ("gzip", "Gzip", "application/gzip"),
    "zip": ("zip", "Zip", "application/zip"),
    "pdf": ("pdf", "PDF", "application/pdf"),
    "html": ("html", "HTML", "text/html"),
    "md": ("markdown", "Markdown (raw)", "text/markdown"),
    "png": ("png", "PNG", "image/png"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One message that carries the file. `family` is what Slack calls the kind of conversation in `shares`."""

    family: str
    channel: str
    channel_name: str
    ts: str
    user: str
    thread_ts: str | None = None

    @property
    def kind(self) -> str:
        """The list of the file object in which this conversation stands."""
        if self.family == "public":
            return "channels"
        return "ims" if self.channel.startswith("D") else "groups"

    def to_json(self, team_id: str) -> Json:
        shown: Json = {
            "reply_users": [],
            "reply_users_count": 0,
            "reply_count": 0,
            "ts": self.ts,
            "channel_name": self.channel_name,
            "team_id": team_id,
            "share_user_id": self.user,
        }
        return shown | {"thread_ts": self.thread_ts} if self.thread_ts else shown


@dataclass(slots=True, kw_only=True)
class Oddities:
    """What may be wrong with a file in a real workspace; by default nothing is."""

    foreign: bool = False  # of another workspace: messages say no more than that files.info knows more
    hidden: bool = False  # beyond what a free plan shows
    link: str = ""  # to another service, which has the bytes
    address: str = ""  # where url_private leads instead
    redirect: str = ""  # where the file host sends those who ask
    stated: int | None = None  # the size that is said; the bytes may be more
    unplaced: int = 0  # so often files.info does not know yet where it was shared


@dataclass(slots=True, kw_only=True)
class File:
    """What was uploaded. `content` is None until the bytes have arrived."""

    id: str
    user: str
    name: str
    title: str
    alt_text: str = ""
    created: int
    length: int
    team_id: str
    team_domain: str
    origin: str
    content: bytes | None = None
    shares: list[Share] = field(default_factory=list)
    deleted: bool = False
    oddities: Oddities = field(default_factory=Oddities)

    @property
    def kind(self) -> tuple[str, str, str]:
        """Slack's file type, its name for people, and the media type; all by the name's ending, as Slack begins."""
        return KINDS.get(self.name.rpartition(".")[2].lower(), BINARY)

    @property
    def private_path(self) -> str:
        return f"/files-pri/{self.team_id}-{self.id}"

    def in_message(self) -> Json:
        """As messages show it: one that came over Slack Connect by its id alone (docs.slack.dev, file object)."""
        if self.oddities.foreign and not self.deleted:
            stub = {"mode": "file_access", "file_access": "check_file_info", "created": 0, "timestamp": 0, "user": ""}
            return {"id": self.id} | stub
        return self.to_json()

    def to_json(self) -> Json:
        if self.deleted:
            return {"id": self.id, "mode": "tombstone"}
        return self._json() | self._oddly()

    def _oddly(self) -> Json:
        """A link is shown as files.remote.info's page has it; `hidden_by_limit` is the file object's page."""
        odd = self.oddities
        shown: Json = {} if odd.stated is None else {"size": odd.stated}
        if odd.address:
            shown |= {"url_private": odd.address, "url_private_download": odd.address}
        if odd.hidden:
            shown |= {"mode": "hidden_by_limit"}
        if odd.link:
            there = {"url_private": odd.link, "external_url": odd.link, "url_private_download": None}
            shown |= {"mode": "external", "is_external": True, "external_type": "app", "size": 0} | there
        return shown

    def _json(self) -> Json:
        filetype, pretty, mimetype = self.kind
        name = quote(self.name, safe="")
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title,
            **({"alt_txt": self.alt_text} if self.alt_text else {}),
            "mimetype": mimetype,
            "filetype": filetype,
            "pretty_type": pretty,
            "user": self.user,
            "user_team": self.team_id,
            "editable": False,
            "size": self.length,
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": any(share.family == "public" for share in self.shares),
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": f"{self.origin}{self.private_path}/{name}",
            "url_private_download": f"{self.origin}{self.private_path}/download/{name}",
            "media_display_type": "unknown",
            "permalink": f"https://{self.team_domain}.slack.com/files/{self.user}/{self.id}/{name}",
            "has_rich_preview": False,
            "file_access": "visible",
        }

    def with_shares(self) -> Json:
        """As files.info shows it: also where it hangs."""
        if self.deleted:
            return self.to_json()
        if self.oddities.unplaced:
            self.oddities.unplaced -= 1
            return self.to_json() | {"channels": [], "groups": [], "ims": [], "shares": {}, "comments_count": 0}
        by_family: dict[str, dict[str, list[Json]]] = {}
        for share in self.shares:
            shown = share.to_json(self.team_id)
            by_family.setdefault(share.family, {}).setdefault(share.channel, []).append(shown)
        return self.to_json() | {
            **{kind: self._places(kind) for kind in ("channels", "groups", "ims")},
            "shares": by_family,
            "comments_count": 0,
        }

    def _places(self, kind: str) -> list[str]:
        return list(dict.fromkeys(share.channel for share in self.shares if share.kind == kind))
