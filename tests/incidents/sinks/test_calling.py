"""How sinks call the world: every failure becomes one of ours, nothing is followed, nothing is read without end."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from bot.errors import LoginError, MaybeSentError, OutsideError, UnreachableError, UserError
from bot.incidents.sinks import calling
from bot.incidents.sinks.calling import Answer, call, open_http, refused, translate
from bot.incidents.sinks.webhook import WebhookSink
from bot.playground.pager.webhook import WebhookPlayer
from bot.playground.vcenter.certificates import Authority
from tests.incidents.sinks.stage import PAGE

RAISED_BY_CALLS = sorted(
    (kind for _, kind in inspect.getmembers(httpx, inspect.isclass) if issubclass(kind, httpx.HTTPError)),
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", [*RAISED_BY_CALLS, httpx.InvalidURL, TimeoutError], ids=lambda kind: kind.__name__)
def test_whatever_httpx_raises_becomes_a_sentence(kind):
    made = kind("it \x1b[31mbroke") if kind is not httpx.HTTPStatusError else kind("x", request=None, response=None)
    error = translate(made, "PagerDuty")
    assert isinstance(error, OutsideError)
    assert str(error).startswith(("PagerDuty ", "The proxy on the way to PagerDuty"))
    assert "\x1b" not in str(error)


@pytest.mark.parametrize(
    ("error", "kind", "transient"),
    [
        (httpx.ConnectError("refused"), UnreachableError, True),
        (httpx.ConnectTimeout(""), UnreachableError, True),
        (httpx.ReadTimeout(""), MaybeSentError, True),
        (httpx.WriteError(""), MaybeSentError, True),
        (httpx.RemoteProtocolError(""), MaybeSentError, True),
        (TimeoutError(), MaybeSentError, True),
        (httpx.InvalidURL(""), OutsideError, False),
    ],
)
def test_what_may_have_arrived_is_told_from_what_has_not(error, kind, transient):
    found = translate(error, "PagerDuty")
    assert (type(found), found.transient) == (kind, transient)


@pytest.mark.parametrize(
    ("status", "transient", "maybe"),
    [(400, False, False), (403, False, False), (404, False, False), (429, True, False), (500, True, True),
     (503, True, True)],
)  # fmt: skip
def test_an_answer_that_is_no_success(status, transient, maybe):
    error = refused(Answer(status, b"", None), who="PagerDuty", why="no <!here>")
    assert (error.transient, isinstance(error, MaybeSentError)) == (transient, maybe)
    assert str(error).startswith(f"PagerDuty answered {status} (no <!here>)")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0", 0), ("999999999", 3600), ("soon", None), ("-1", None), ("", None), ("1e9", None)],
)
def test_retry_after_in_seconds(value, seconds):
    assert calling._retry_after(value) == seconds


def test_retry_after_as_a_date():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 80 < calling._retry_after(soon) <= 90
    assert calling._retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


async def answering(text: bytes, *, hang_up: bool = False):
    """A server that says this to everybody and then no more."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        await writer.drain()
        if not hang_up:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"


async def test_a_redirect_is_not_followed(http, receiver):
    server, url = await answering(
        f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {receiver.url}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    with pytest.raises(OutsideError, match="a redirect, which is not followed") as failure:
        await WebhookSink("hook", http, url=url, secret="s3cret").send(PAGE)
    assert not failure.value.transient
    assert receiver.conduct.called == 0
    server.close()


async def test_an_answer_without_end_is_left(http):
    server, url = await answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n" + b"x" * (1 << 20))
    answer = await call(http, "GET", url, who="it")
    assert len(answer.body) == calling.LARGEST_ANSWER
    server.close()


async def test_what_is_no_http_may_have_been_taken(http):
    server, url = await answering(b"220 mail.example.net ESMTP\r\n", hang_up=True)
    with pytest.raises(MaybeSentError, match="broke off before it had answered"):
        await call(http, "GET", url, who="it")
    server.close()


async def test_an_answer_that_never_ends_is_not_waited_for(http):
    server, url = await answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")
    with pytest.raises(MaybeSentError, match=r"did not answer within 0.2 s"):
        await call(http, "GET", url, who="it", within=0.2)
    server.close()


async def test_tls_is_verified_against_the_file(tmp_path):
    authority = Authority(tmp_path, name="ours")
    player = WebhookPlayer(tls=authority.server_context("127.0.0.1"))
    await player.start()
    async with open_http(authority.file) as trusting, open_http() as strange:
        await WebhookSink("hook", trusting, url=player.url, secret=player.secret).send(PAGE)
        assert list(player.received) == [PAGE.id]
        with pytest.raises(LoginError, match=r"certificate of .* is not trusted .*ca_file") as failure:
            await WebhookSink("hook", strange, url=player.url, secret=player.secret).send(PAGE)
    assert failure.value.transient  # a renewed certificate must not have cost what had to be said
    assert ssl.CERT_REQUIRED is trusting._transport._pool._ssl_context.verify_mode
    await player.stop()


@pytest.mark.parametrize("content", [None, "not a certificate"])
async def test_a_ca_file_that_cannot_be_used_is_named(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UserError, match=r"The CA file .*ca.pem of a sink cannot be used"):
        async with open_http(file):
            pass
