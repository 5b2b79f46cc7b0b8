"""What the client repeats, what it does not, and how it puts failures. The servers are real; one is a deaf socket."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.errors import BugError, LoginError, OutsideError, UnreachableError, UserError
from bot.store import blobs, embedded, keys
from bot.store.client import connect
from bot.store.scripts import Script, load


async def test_text_hashes_and_bytes_come_back_as_they_were(store):
    await store.set("a", "ä")
    await store.hset("h", mapping={"x": "1", "y": "ü"})
    assert await store.text("a") == "ä"
    assert await store.text("none") is None
    assert await store.hash("h") == {"x": "1", "y": "ü"}
    assert await store.hash("none") == {}
    assert await store.raw("a") == "ä".encode()


async def test_a_pipeline_is_one_round_trip(store):
    pipeline = store.pipeline(transaction=False)
    pipeline.set("a", "1")
    pipeline.incr("a")
    assert await pipeline.execute() == [True, 2]


async def test_the_tail_of_a_stream_waits_and_gives_up(store):
    assert await store.tail("s", "0-0", block=timedelta(0)) == []
    first = await store.xadd("s", {"n": "1"})
    assert await store.tail("s", "0-0", block=timedelta(seconds=5)) == [(first, {"n": "1"})]
    waiting = asyncio.ensure_future(store.tail("s", first, block=timedelta(seconds=15)))
    await asyncio.sleep(0)
    second = await store.xadd("s", {"n": "2"})
    assert await waiting == [(second, {"n": "2"})]


async def test_who_waits_is_given_the_time_he_asked_for_and_little_more(valkey_url):
    """A server that falls silent is left as soon by those who wait for news as by those who ask something."""
    async with connect(valkey_url) as store:
        assert store.blocking.reply_timeout == store.reply_timeout
        store.blocking.reply_timeout = 0.2
        begun = time.monotonic()
        assert await store.tail("s", "0-0", block=timedelta(seconds=0.5)) == []
        assert await store.blocking.xread({"s": "0-0"}, block=500) == []
        assert await store.blocking.execute_command("BLPOP", "l", 0.5) is None
        assert time.monotonic() - begun >= 1.5
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        async with connect(f"redis://127.0.0.1:{deaf.getsockname()[1]}") as store:
            store.blocking.reply_timeout = 0.1
            begun = time.monotonic()
            with pytest.raises(UnreachableError):
                await store.tail("s", "0-0", block=timedelta(seconds=0.1))
            assert time.monotonic() - begun < 5


async def test_a_connection_that_is_lost_after_a_script_was_unknown_is_a_lost_connection():
    async def serve(reader, writer):
        while data := await reader.read(65536):
            if b"EVAL\r\n" in data:
                break
            answer = b"-NOSCRIPT No matching script.\r\n" if b"EVALSHA" in data else b"+OK\r\n"
            writer.write(answer * data.count(b"*"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, connect(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}") as store:
        with pytest.raises(UnreachableError, match="does not answer"):
            await Script("return 1")(store)


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_cancelled_command_ends_at_once_whenever_that_comes(valkey_url, fresh):
    for turns in range(40):
        async with connect(valkey_url) as store:
            if not fresh:
                await store.tail("s", "0-0", block=timedelta(0))
            waiting = asyncio.ensure_future(store.tail("s", "0-0", block=timedelta(seconds=15)))
            for _ in range(turns):
                await asyncio.sleep(0)
            waiting.cancel()
            done, _ = await asyncio.wait({waiting}, timeout=5)
            assert done, f"still waiting when cancelled after {turns} turns"
            assert waiting.cancelled()
            assert await store.ping()


async def test_waiting_readers_keep_no_writer_from_writing(store):
    waiting = [asyncio.ensure_future(store.tail("s", "0-0", block=timedelta(seconds=15))) for _ in range(40)]
    await asyncio.gather(*(store.set(f"k{number}", "v") for number in range(200)))
    for reader in waiting:
        reader.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_thousand_commands_at_once_wait_for_their_turn(store):
    assert len(await asyncio.gather(*(store.incr("n") for _ in range(1000)))) == 1000
    assert await store.text("n") == "1000"


async def test_nobody_there(unused_tcp_port):
    async with connect(f"redis://user:hunter2@127.0.0.1:{unused_tcp_port}/0") as store:
        with pytest.raises(UnreachableError, match=r"Redis at 127\.0\.0\.1:\d+ does not answer") as failed:
            await store.ping()
        with pytest.raises(UnreachableError):
            await store.pipeline().set("a", "1").execute()
        assert failed.value.transient
        assert "hunter2" not in f"{failed.value!r} {failed.value} {store!r}"


class Peer:
    """A server that takes a connection, reads, and then does as it is told."""

    def __init__(self, script):
        self.script, self.heard, self.connections = script, [], 0

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while data := await reader.read(65536):
                self.heard.append(data)
                if b"CLIENT" in data or b"SELECT" in data:
                    writer.write(b"+OK\r\n" * data.count(b"*"))
                elif answer := self.script(len(self.heard)):
                    writer.write(answer)
                else:
                    break
        finally:
            writer.close()


@pytest.fixture
async def peer():
    servers = []

    async def start(script):
        peer = Peer(script)
        server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        return peer, f"redis://127.0.0.1:{port}"

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_a_read_is_repeated_and_a_write_is_not(peer):
    it, url = await peer(lambda _: b"")
    async with connect(url) as store:
        with pytest.raises(UnreachableError):
            await store.get("k")
        reads = sum(b"GET" in data for data in it.heard)
        with pytest.raises(UnreachableError):
            await store.set("k", "v")
        writes = sum(b"SET\r\n$1\r\nk" in data for data in it.heard)
        with pytest.raises(UnreachableError):
            await Script("return 1")(store)
        once = sum(b"EVALSHA" in data for data in it.heard)
        with pytest.raises(UnreachableError):
            await Script("return 1")(store, repeatable=True)
        again = sum(b"EVALSHA" in data for data in it.heard)
    assert (reads, writes, once, again) == (3, 1, 1, 4)


async def test_a_read_goes_on_after_a_short_outage(peer):
    it, url = await peer(lambda heard: b"$1\r\nv\r\n" if heard > 3 else b"")
    async with connect(url) as store:
        assert await store.text("k") == "v"
    assert it.connections > 1


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (b"-WRONGPASS invalid username-password pair\r\n", LoginError, "does not let us in"),
        (b"-NOAUTH Authentication required.\r\n", LoginError, "user and password"),
        (b"-NOPERM this user has no permissions\r\n", LoginError, "does not let us in"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", UnreachableError, "still loading"),
        (b"-READONLY You can't write against a read only replica.\r\n", UnreachableError, "failover"),
        (b"-OOM command not allowed when used memory > 'maxmemory'.\r\n", OutsideError, "is full"),
        (b"-MISCONF Errors writing to the AOF file\r\n", OutsideError, "takes no writes"),
        (b"-NOREPLICAS Not enough good replicas to write.\r\n", OutsideError, "takes no writes"),
        (b"-BUSY Redis is busy running a script.\r\n", OutsideError, "takes no writes"),
        (b"-MASTERDOWN Link with MASTER is down.\r\n", UnreachableError, "lost its master"),
        (b"-WRONGTYPE Operation against a key\r\n", BugError, "refused a command of ours"),
    ],
)
async def test_what_redis_says_is_put_in_our_words(peer, answer, error, words):
    _, url = await peer(lambda _: answer)
    async with connect(url) as store:
        with pytest.raises(error, match=words) as failed:
            await store.set("k", "v")
    assert type(failed.value) is error
    if isinstance(failed.value, OutsideError) and error is not LoginError:
        assert failed.value.transient


async def test_a_full_redis_says_so(tmp_path):
    with embedded.start(tmp_path) as server:
        async with connect(server.url) as store:
            await store.config_set("maxmemory", "1")
            with pytest.raises(OutsideError, match="is full and took nothing"):
                await store.set("k", "v")
            with pytest.raises(OutsideError, match="is full and took nothing"):
                await Script("return redis.call('SET', KEYS[1], 'v')")(store)


async def test_a_wrong_password_is_not_repeated_in_words(tmp_path):
    with embedded.start(tmp_path) as server:
        async with connect(server.url) as store:
            await store.config_set("requirepass", "correct")
        async with connect(server.url.replace("unix://", "unix://:hunter2@")) as store:
            with pytest.raises(LoginError) as failed:
                await store.ping()
            assert "hunter2" not in f"{failed.value} {failed.value.__cause__}"
        async with connect(server.url.replace("unix://", "unix://:correct@")) as store:
            assert await store.ping()
            await store.config_set("requirepass", "")


# ---- TLS and Sentinel, on servers of their own


@pytest.fixture
def tls(tmp_path):
    """A TLS proxy's certificate for 127.0.0.1, and the authority that signed it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem


async def test_tls_is_verified(tls):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls)
    server = await asyncio.start_server(Peer(lambda _: b"+PONG\r\n").serve, "127.0.0.1", 0, ssl=context)
    url = f"rediss://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with connect(url, ca_file=tls) as store:
        assert await store.ping()
    async with connect(url) as store:
        with pytest.raises(LoginError, match=r"certificate .* is not trusted \(self-signed certificate.*redis.ca_file"):
            await store.ping()
    server.close()


@pytest.fixture
def sentinel(tmp_path, unused_tcp_port_factory):
    """A Valkey on a port and a sentinel that watches it."""
    port, watch = unused_tcp_port_factory(), unused_tcp_port_factory()
    config = tmp_path / "sentinel.conf"
    config.write_text(f"port {watch}\nbind 127.0.0.1\nsentinel monitor mine 127.0.0.1 {port} 1\n")
    binary = str(embedded.find_server())
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    programs = [
        subprocess.Popen([binary, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], **quiet),
        subprocess.Popen([binary, str(config), "--sentinel"], **quiet),
    ]
    for number in (port, watch):
        _until_listening(number)
    yield f"127.0.0.1:{watch}"
    for program in programs:
        program.terminate()
        program.wait()


def _until_listening(port):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return
    pytest.fail(f"nothing listens on {port}")


async def test_a_sentinel_leads_to_the_master(sentinel, unused_tcp_port):
    async with connect(f"redis+sentinel://127.0.0.1:{unused_tcp_port},{sentinel}/mine/1") as store:
        await asyncio.gather(*(store.incr("n") for _ in range(200)))
        assert await store.text("n") == "200"
        assert await store.tail("s", "0-0", block=timedelta(0)) == []
    async with connect(f"redis+sentinel://{sentinel}/other") as store:
        with pytest.raises(UnreachableError, match="master 'other'"):
            await store.ping()


# ---- scripts, schema, blobs


async def test_a_script_that_redis_forgot_is_sent_again(store):
    script = Script("return ARGV[1]")
    assert [await script(store, "a"), await script(store, "b")] == ["a", "b"]
    await store.script_flush()
    assert await script(store, "c") == "c"


async def test_the_clock_of_scripts_is_redis_time_and_what_tests_add(store, skew_clock):
    script = load("bot.jobs", "scripts/now")
    seconds, _ = await store.time()
    assert abs(int(await script(store)) / 1000 - seconds) < 5
    skew_clock(timedelta(hours=-2, milliseconds=500))
    assert abs(int(await script(store)) / 1000 - (seconds - 7200)) < 5


async def test_an_error_in_a_script_is_a_bug_of_ours(store):
    with pytest.raises(BugError, match="refused a command of ours"):
        await Script("return redis.call('NO-SUCH-COMMAND')")(store)


def test_the_prelude_and_the_key_names_agree():
    prelude = Path(load.__code__.co_filename).with_name("prelude.lua").read_text()
    assert f"PREFIX = '{keys.PREFIX}'" in prelude
    assert f"{keys.PREFIX}clock-skew" == keys.CLOCK_SKEW


async def test_a_blob_is_found_by_its_digest_for_an_hour(store):
    data = bytes(range(256)) * 1000
    digest = await blobs.put(store, data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert await blobs.get(store, digest) == data
    assert 3500 < await store.ttl(keys.blob(digest)) <= 3600
    assert await blobs.get(store, "0" * 64) is None


async def test_a_blob_of_20_mb_passes_and_a_larger_one_is_refused(store):
    assert len(await blobs.get(store, await blobs.put(store, bytes(blobs.LARGEST)))) == blobs.LARGEST
    with pytest.raises(UserError, match=r"20\.0 MB; at most 20 MB"):
        await blobs.put(store, bytes(blobs.LARGEST + 1))


def test_every_key_has_the_one_hash_tag_and_a_name_of_its_own():
    names = [value for name, value in vars(keys).items() if name.isupper() and name not in ("PREFIX", "READY")]
    made = [
        keys.blob("x"), keys.job("x"), keys.ready("x"), keys.slot("x"), keys.vm("e:x"), keys.outbox("x"),
        keys.card("x"), keys.seen("command", "x"), keys.inventory("x"), keys.feed("e", "h", "vpxa"),
        keys.cursor("e", "h", "vpxa"), keys.shard(3), keys.link("x"),
    ]  # fmt: skip
    everything = [name for name in [*names, *made] if isinstance(name, str)]
    assert all(name.startswith("{cm}:") for name in everything)
    assert len(set(everything)) == len(everything)
