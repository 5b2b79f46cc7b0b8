"""Files that people drop on the page, and files that they take from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from bot.errors import UserError
from bot.playground.slack.person import Person

MOST_BYTES: Final = 20 * 2**20
"""All files of one drop together; what the product takes of one file."""

MOST_FILES: Final = 10
LONGEST_COMMENT: Final = 40_000
PNG: Final = b"\x89PNG\r\n\x1a\n"
FORM: Final = 64 * 1024
"""What a form may add to its files."""


class Drops:
    """`POST /ui/files` and `GET /ui/files/{id}/{name}`. A refusal is a sentence. `sent` makes typed text ready."""

    def __init__(self, person: Person, users: list[str], *, sent: Callable[[str], str]) -> None:
        self._person = person
        self._users = users
        self._sent = sent

    async def take(self, request: web.Request) -> web.Response:
        """Post each file as the person named in the query; the words go with the first."""
        try:
            user, channel = request.query["user"], request.query["channel"]
            files, typed = await _form(request)
            comment = self._sent(typed)
            for name, content in files:
                thread = request.query.get("thread_ts")
                self._person.upload(user, channel, name, content, comment=comment, thread_ts=thread)
                comment = ""
        except KeyError as missing:
            return web.Response(status=400, text=f"The query has no {missing.args[0]}.")
        except UserError as refusal:
            return web.Response(status=400, text=str(refusal))
        except ValueError:  # aiohttp's word for a form that is not one
            return web.Response(status=400, text="This form cannot be read.")
        return web.json_response({"files": len(files)})

    async def give(self, request: web.Request) -> web.Response:
        """The bytes, to be kept: whatever is in them does not run here. Only a PNG is given as what it is."""
        name, content = self._find(request.match_info["file_id"])
        kind = "image/png" if content.startswith(PNG) else "application/octet-stream"
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
        return web.Response(body=content, content_type=kind, headers=headers)

    def _find(self, file_id: str) -> tuple[str, bytes]:
        """The page does not say who asks: it can be anybody there, so somebody who may see the file is found."""
        for user in self._users:
            try:
                return self._person.download(user, file_id)
            except UserError:
                continue
        raise web.HTTPNotFound(text="There is no such file.")


async def _form(request: web.Request) -> tuple[list[tuple[str, bytes]], str]:
    if (request.content_length or 0) > MOST_BYTES + FORM:
        raise _too_much()
    if request.content_type != "multipart/form-data":
        raise UserError("Files come as a form.")
    files: list[tuple[str, bytes]] = []
    comment, room = "", MOST_BYTES
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise UserError("A form within a form is not read.")
        if part.name == "file":
            if len(files) == MOST_FILES:
                raise UserError(f"At most {MOST_FILES} files can be dropped at once.")
            content = await _read(part, room)
            room -= len(content)
            files.append((part.filename or "file", content))
        elif part.name == "comment":
            comment = (await _read(part, LONGEST_COMMENT)).decode(errors="replace")
    if not files:
        raise UserError("There is no file in this drop.")
    return files, comment


async def _read(part: BodyPartReader, room: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(2**16):
        content += chunk
        if len(content) > room:
            raise _too_much()
    return bytes(content)


def _too_much() -> web.HTTPException:
    limit = MOST_BYTES // 2**20
    return web.HTTPRequestEntityTooLarge(MOST_BYTES, 0, text=f"At most {limit} MB can be dropped at once.")
