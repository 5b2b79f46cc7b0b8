"""Files in and out with the real client: Slack's three steps, its login page, and what people drop into a channel."""

import asyncio
import io
from datetime import timedelta

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.errors import UserError
from bot.playground.slack.control import SlackControl
from bot.playground.slack.files import LARGEST_FILE

LOG = b"2026-11-20T01:42:07Z vpxa: NfcNetTcpWrite: bWritten: -1\n" * 20
PLACE = "C0MIGRATE1"


async def error_of(call) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return refused.value.response["error"]


async def fetch(client, url, token):
    async with client.session.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
        return answer.status, answer.content_type, await answer.read()


async def carried(slack, channel, *, at_least=1):
    """The files of the channel's messages, once there are some."""
    look = lambda: [m for m in slack.person.history(channel) if m.get("files")]  # noqa: E731
    return await slack.person.wait_for(lambda: found if len(found := look()) >= at_least else None)


async def test_an_upload_appears_a_moment_after_it_was_completed(slack, client):
    answer = await client.files_upload_v2(channel=PLACE, filename="vpxa.log", content=LOG, initial_comment="evidence")
    assert answer["file"]["title"] == "vpxa.log"
    assert answer["file"]["shares"] == {}
    assert slack.person.history(PLACE) == []

    (message,) = await carried(slack, PLACE)
    (file,) = message["files"]
    assert (message["text"], message["subtype"], message["bot_id"]) == (
        "evidence",
        "file_share",
        slack.workspace.app.bot_id,
    )
    assert (file["name"], file["size"], file["mimetype"]) == ("vpxa.log", len(LOG), "text/plain")
    info = (await client.files_info(file=file["id"]))["file"]
    assert info["shares"]["public"][PLACE][0]["ts"] == message["ts"]
    assert info["channels"] == [PLACE]
    assert slack.person.download("alice", file["id"]) == ("vpxa.log", LOG)


async def test_two_files_go_into_a_thread_as_one_message(slack, client):
    root = await client.chat_postMessage(channel=PLACE, text="root")
    uploads = [{"filename": name, "content": name.encode()} for name in ("a.log", "b.tgz")]
    await client.files_upload_v2(channel=PLACE, thread_ts=root["ts"], file_uploads=uploads)
    thread = await slack.person.wait_for(
        lambda: found if len(found := slack.person.thread(PLACE, root["ts"])) == 2 else None
    )
    assert [file["name"] for file in thread[1]["files"]] == ["a.log", "b.tgz"]
    assert [file["filetype"] for file in thread[1]["files"]] == ["text", "gzip"]


async def test_what_an_upload_is_refused_for(slack, client):
    outside = slack.switches.add_channel("outside", with_bot=False)
    reserved = await client.files_getUploadURLExternal(filename="x.log", length=3)
    file = [{"id": reserved["file_id"]}]

    assert await error_of(client.files_completeUploadExternal(files=file)) == "file_not_found"
    async with client.session.post(reserved["upload_url"], data=b"four") as wrong:
        assert wrong.status == 400
    async with client.session.post(reserved["upload_url"], data=b"abc") as right:
        assert (right.status, await right.text()) == (200, "OK - 3")
    async with client.session.post(reserved["upload_url"], data=b"abc") as again:
        assert again.status == 404
    assert await error_of(client.files_completeUploadExternal(files=file, channel_id=outside)) == "not_in_channel"
    assert await error_of(client.files_completeUploadExternal(files=file, channel_id="C0")) == "channel_not_found"
    late = client.files_completeUploadExternal(files=file, channel_id=PLACE, thread_ts="1.1")
    assert await error_of(late) == "thread_not_found"
    await client.files_completeUploadExternal(files=file)
    assert await error_of(client.files_completeUploadExternal(files=file)) == "file_not_found"

    too_large = client.files_getUploadURLExternal(filename="x", length=LARGEST_FILE + 1)
    assert await error_of(too_large) == "file_upload_size_restricted"
    assert await error_of(client.api_call("files.getUploadURLExternal", params={"filename": "x"})) == (
        "invalid_arguments"
    )
    slack.switches.deny("files:write")
    assert await error_of(client.files_getUploadURLExternal(filename="x", length=1)) == "missing_scope"


async def test_a_form_carries_bytes_too(slack, client):
    reserved = await client.files_getUploadURLExternal(filename="x.log", length=3)
    async with client.session.post(reserved["upload_url"], data={"file": io.BytesIO(b"abc")}) as sent:
        assert sent.status == 200
    await client.files_completeUploadExternal(files=[{"id": reserved["file_id"], "title": "seen"}])
    assert (await client.files_info(file=reserved["file_id"]))["file"]["title"] == "seen"


async def test_a_dropped_file_reaches_the_app_and_is_downloaded(slack, client, app: AsyncApp, connect):
    heard = asyncio.Queue()

    @app.event("file_shared")
    async def shared(event):
        heard.put_nowait(event)

    @app.event({"type": "message", "subtype": "file_share"})
    async def message(event):
        heard.put_nowait(event)

    await connect(app)
    dropped = slack.person.upload("alice", "#migrations", "vpxa.log", LOG, comment="why?")
    both = {event["type"]: event for event in [await asyncio.wait_for(heard.get(), 5) for _ in range(2)]}
    file_id = both["file_shared"]["file_id"]
    info = (await client.files_info(file=file_id))["file"]

    assert file_id == dropped["id"]
    assert (both["file_shared"]["channel_id"], "files" in both["file_shared"]) == (PLACE, False)
    assert both["message"]["text"] == "why?"
    assert both["message"]["files"][0]["url_private_download"] == info["url_private_download"]
    assert await fetch(client, info["url_private_download"], slack.bot_token) == (200, "text/plain", LOG)
    assert (await client.files_list(channel=PLACE))["files"][0]["id"] == file_id
    assert (await client.files_list(user=slack.workspace.app.bot_user))["files"] == []


async def test_who_may_not_have_a_file_sees_a_login_page(slack, client):
    url = slack.person.upload("alice", "#migrations", "vpxa.log", LOG)["url_private_download"]
    outside = slack.switches.add_channel("outside", with_bot=False)
    elsewhere = slack.person.upload("alice", outside, "vpxa.log", LOG)
    pages = [await fetch(client, url, token) for token in ("", "xoxb-wrong", slack.app_token)]
    pages.append(await fetch(client, elsewhere["url_private_download"], slack.bot_token))
    slack.switches.deny("files:read")
    pages.append(await fetch(client, url, slack.bot_token))
    for status, kind, body in pages:
        assert (status, kind) == (200, "text/html")
        assert LOG not in body
    slack.switches.grant("files:read")
    assert await error_of(client.files_info(file=elsewhere["id"])) == "file_not_found"


async def test_a_deleted_file_leaves_a_tombstone(slack, client):
    theirs = slack.person.upload("alice", "#migrations", "vpxa.log", LOG)
    assert await error_of(client.files_delete(file=theirs["id"])) == "cant_delete_file"
    ours = (await client.files_upload_v2(channel=PLACE, filename="x.log", content=LOG))["file"]
    await carried(slack, PLACE, at_least=2)
    await client.files_delete(file=ours["id"])
    assert await error_of(client.files_info(file=ours["id"])) == "file_not_found"
    assert slack.person.history(PLACE)[-1]["files"] == [{"id": ours["id"], "mode": "tombstone"}]


async def test_a_share_that_finds_its_thread_gone_does_not_happen(slack, client):
    slack.switches.share_files_after(timedelta(seconds=0.2))
    root = await client.chat_postMessage(channel=PLACE, text="root")
    await client.files_upload_v2(channel=PLACE, thread_ts=root["ts"], filename="x.log", content=LOG)
    await client.files_upload_v2(channel=PLACE, filename="y.log", content=LOG)
    await client.chat_delete(channel=PLACE, ts=root["ts"])
    (message,) = await carried(slack, PLACE)
    assert message["files"][0]["name"] == "y.log"


async def test_a_person_cannot_drop_everything(slack):
    with pytest.raises(UserError, match=r"takes no empty files"):
        slack.person.upload("alice", "#random", "x.log", b"")
    with pytest.raises(UserError, match=f"this Slack takes {LARGEST_FILE}"):
        slack.person.upload("alice", "#random", "x.log", bytes(LARGEST_FILE + 1))
    mine = slack.person.upload("alice", "@alice", "mine.log", LOG)
    with pytest.raises(UserError, match="bob can see no file"):
        slack.person.download("bob", mine["id"])


async def test_files_through_the_control_api(slack):
    async with SlackControl(slack.control_url) as control:
        file = await control.upload("alice", "#random", "bundle.tgz", LOG, comment="look")
        assert await control.download("bob", file["id"]) == ("bundle.tgz", LOG)
    assert slack.person.history("#random")[0]["files"][0]["id"] == file["id"]
