"""Nothing but the page itself gets in, and a browser may do nothing else with what it gets."""

from __future__ import annotations

import io
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from bot.playground.page.drops import MOST_BYTES, MOST_FILES
from tests.playground.page.visitor import ALICE, CHANNEL, visit


@pytest.fixture
async def http(page):
    async with aiohttp.ClientSession(base_url=page.url, headers={"Origin": page.url.rstrip("/")}) as session:
        yield session


def form(*files: tuple[str, bytes], comment: str = "") -> aiohttp.FormData:
    data = aiohttp.FormData(quote_fields=False)  # as browsers do
    for name, content in files:
        data.add_field("file", io.BytesIO(content), filename=name)
    if comment:
        data.add_field("comment", comment)
    return data


def broken_form(data: bytes, *, boundary: str = "; boundary=b") -> aiohttp.BytesPayload:
    return aiohttp.BytesPayload(data, content_type=f"multipart/form-data{boundary}")


def drop(**more: str) -> dict[str, str]:
    return {"user": ALICE, "channel": CHANNEL} | more


@pytest.mark.parametrize("path", ["/", "/ui/files/F1/a.log", "/assets/none.js"])
async def test_every_answer_bears_the_rules(http, path):
    async with http.get(path) as answer:
        csp = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'; script-src 'self';" in csp
        assert "unsafe-eval" not in csp
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8077", "", "[::1", "a]b"])
async def test_a_name_that_merely_leads_here_is_refused(http, host):
    async with http.get("/", headers={"Host": host}) as answer:
        assert answer.status == 403
        assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "http://127.0.0.1", "null"])
async def test_another_page_gets_no_socket_and_drops_no_file(http, page, origin):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with visit(page.url, origin=origin):
            pass
    assert refusal.value.status == 403
    async with http.post("/ui/files", params=drop(), data=form(("a.log", b"x")), headers={"Origin": origin}) as answer:
        assert answer.status == 403


async def test_who_does_not_say_where_they_come_from_gets_no_socket(page):
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{page.url}ui/socket")
        async with session.post(f"{page.url}ui/files", params=drop(), data=form(("a.log", b"x"))) as answer:
            assert answer.status == 403


@pytest.mark.parametrize(
    "path", ["/assets/..%2findex.html", "/assets/../server.py", "/assets/.%2e/.%2e/server.py", "/assets/%2e%2e"]
)
async def test_no_way_leads_out_of_the_built_files(http, path):
    async with http.get(URL(path, encoded=True)) as answer:
        assert answer.status == 404


async def test_files_are_dropped_seen_and_taken_away(http, alice):
    name = "vpxa <b>1</b>.log"
    async with http.post("/ui/files", params=drop(), data=form((name, b"[NFC ERROR]"), comment="look")) as answer:
        assert answer.status == 200, await answer.text()
    message = await alice.message("vpxa")
    (file,) = message["files"]
    assert (file["name"], file["size"]) == (name, 11)
    assert "look" in message["text"]
    async with http.get(URL(f"/ui/files/{file['id']}/{quote(name, safe='')}", encoded=True)) as answer:
        assert await answer.read() == b"[NFC ERROR]"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["Content-Type"] == "application/octet-stream"


async def test_several_files_go_into_a_thread(http, alice, slack):
    ts = slack.person.post(ALICE, CHANNEL, "here")
    await alice.look(thread=ts)
    files = form(("a.log", b"a"), ("b.log", b"b"))
    async with http.post("/ui/files", params=drop(thread_ts=ts), data=files) as answer:
        assert await answer.json() == {"files": 2}
    assert await alice.message("a.log", "thread")
    assert await alice.message("b.log", "thread")


async def test_a_giant_is_refused_before_it_is_read_and_while_it_is(http, alice):
    giant = b"x" * (MOST_BYTES + 1)
    async with http.post("/ui/files", params=drop(), data=form(("giant.tgz", giant))) as answer:
        assert (answer.status, await answer.text()) == (413, "At most 20 MB can be dropped at once.")

    async def slowly():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="giant"\r\n\r\n'
        for _ in range(MOST_BYTES // 2**20 + 1):
            yield b"x" * 2**20
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    async with http.post("/ui/files", params=drop(), data=slowly(), headers=headers) as answer:
        assert answer.status == 413
    assert alice.parts["channel"]["messages"] == []


@pytest.mark.parametrize(
    ("params", "data", "sentence"),
    [
        (drop(), form(*((f"{n}.log", b"x") for n in range(MOST_FILES + 1))), "At most 10 files"),
        (drop(), form(("a.log", b"")), "empty"),
        (drop(), b"no form", "Files come as a form."),
        (drop(), broken_form(b"--c\r\n\r\nx"), "cannot be read"),
        (drop(), broken_form(b"--b\r\nnothing", boundary=""), "cannot be read"),
        (drop(user="nobody"), form(("a.log", b"x")), "no user 'nobody'"),
        (drop(channel="#nowhere"), form(("a.log", b"x")), "no channel"),
        (drop(thread_ts="1.2"), form(("a.log", b"x")), "no message"),
        ({"user": ALICE}, form(("a.log", b"x")), "The query has no channel."),
    ],
)
async def test_a_wrong_drop_gets_a_sentence(http, params, data, sentence):
    async with http.post("/ui/files", params=params, data=data) as answer:
        assert answer.status == 400
        assert sentence in await answer.text()


async def test_a_file_that_is_not_there(http):
    async with http.get("/ui/files/F404/secrets.txt") as answer:
        assert answer.status == 404
