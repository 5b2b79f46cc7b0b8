"""Whatever becomes of a bundle on its way, it is read within its limits and nothing crashes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.diagnosis.inputs.member import Limits, Member, UnreadableError
from bot.diagnosis.inputs.opening import members
from bot.diagnosis.inputs.unit import Unit
from tests.diagnosis.inputs.readout import lines, tar_of, zip_of

TIGHT = Limits(
    unpacked=3 << 20, member=1 << 20, ratio=100, ratio_from=1 << 20, members=60, depth=4, name=80, spool=1 << 20,
    dictionary=20 << 20,
)  # fmt: skip
TEXT = lines(300)
LONG = lines(6000)
HOST = tar_of(
    [
        ("esx1/var/log/vpxa.log", TEXT),
        ("esx1/var/log/vpxa.0.gz", gzip.compress(LONG) + gzip.compress(TEXT)),
        ("d" * 130 + "/hostd.log", TEXT),
        *((f"esx1/vmkernel.log.FRAG-{n:05d}", LONG[n * 9000 : n * 9000 + 9000]) for n in range(4)),
        ("windows.log", TEXT.decode().encode("utf-16")),
        ("vmkernel.xz", lzma.compress(TEXT)),
        ("vmkernel.bz2", bz2.compress(TEXT)),
        ("disk.vmdk", bytes(2000)),
    ],
    "w:gz",
    format=tarfile.PAX_FORMAT,
)
SEEDS = {
    "host.tgz": HOST,
    "host.tar": gzip.decompress(HOST),
    "bundle.zip": zip_of([("esx1.tgz", HOST), ("vpxd.log", TEXT), ("inner.zip", zip_of([("a.log", TEXT)]))]),
    "vpxa.0.gz": gzip.compress(LONG) + gzip.compress(TEXT),
    "vpxd.xz": lzma.compress(LONG),
    "windows.log": TEXT.decode().encode("utf-16"),
}


def read_all(path: Path, stdin: io.BytesIO | None, block: int) -> int:
    """Read everything as a stranger would; fails on any exception but the promised one."""
    buffer, total, items = memoryview(bytearray(block)), 0, 0
    for item in members(Unit(path.name, None if stdin else path, 0, named=True), stdin=stdin, limits=TIGHT):
        items += 1
        if not isinstance(item, Member):
            assert item.reason
            assert item.reason.isprintable()
            assert item.file.isprintable()
            continue
        assert item.name.isprintable()
        assert len(item.name) < 90 * (TIGHT.depth + 1)
        length = 0
        try:
            while size := item.readinto(buffer):
                length += size
        except UnreadableError:
            with pytest.raises(UnreadableError) as again:  # there is no way past damage
                item.readinto(buffer)
            assert str(again.value).isprintable()
        # UTF-8 takes half as much again as UTF-16 at the most.
        assert length <= max(TIGHT.member * 1.5, path.stat().st_size * 1.5)
        total += length
    assert items <= TIGHT.members * 8
    return total


DAMAGE = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), st.floats(0, 1), st.integers(1, 255)),
        st.tuples(st.just("cut"), st.floats(0, 1), st.just(0)),
        st.tuples(st.just("drop"), st.floats(0, 1), st.integers(1, 700)),
        st.tuples(st.just("double"), st.floats(0, 1), st.integers(1, 700)),
        st.tuples(st.just("ones"), st.floats(0, 1), st.integers(1, 40)),
    ),
    min_size=1,
    max_size=4,
)


def damaged(data: bytes, damage: list[tuple[str, float, int]]) -> bytes:
    for kind, where, amount in damage:
        at = int(where * len(data))
        match kind:
            case "flip":
                data = data[:at] + bytes(byte ^ amount for byte in data[at : at + 1]) + data[at + 1 :]
            case "cut":
                data = data[:at]
            case "drop":
                data = data[:at] + data[at + amount :]
            case "double":
                data = data[:at] + data[at : at + amount] * 2 + data[at + amount :]
            case _:
                data = data[:at] + b"\xff" * amount + data[at + amount :]
    return data


@pytest.mark.parametrize("seed", SEEDS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=DAMAGE, piped=st.booleans(), block=st.sampled_from([100, 4096, 1 << 18]))
@example(damage=[("cut", 0.0, 0)], piped=False, block=4096)
def test_no_damage_crashes_it_or_takes_more_than_the_limits(tmp_path, seed, damage, piped, block):
    path = tmp_path / seed
    data = damaged(SEEDS[seed], damage)
    path.write_bytes(data)
    total = read_all(path, io.BytesIO(data) if piped else None, block)
    assert total <= 2 * TIGHT.unpacked + len(data)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mark=st.sampled_from(
        [b"\x1f\x8b\x08\0\0\0\0\0\0\3", b"PK\3\4", b"PK\5\6", b"\xfd7zXZ\0", b"BZh9", b"\xff\xfe", b""]
    ),
    rest=st.binary(max_size=2000),
)
def test_no_bytes_crash_it(tmp_path, mark, rest):
    path = tmp_path / "x"
    path.write_bytes(mark + rest)
    read_all(path, None, 4096)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    block=st.binary(min_size=345, max_size=512), body=st.binary(max_size=1500), kind=st.sampled_from(b"0127LKxgSD5Z\0")
)
def test_no_tar_header_with_a_sum_that_fits_crashes_it(tmp_path, block, body, kind):
    made = bytearray(block.ljust(512, b"\0"))
    made[0], made[156] = made[0] or 65, kind
    made[124:136] = b"%011o\0" % (len(body) + (made[1] & 1) * 512)
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made)
    path = tmp_path / "x.tar"
    path.write_bytes(bytes(made) + body)
    read_all(path, None, 4096)


def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path):
    log = tmp_path / "vpxa.log"
    log.write_bytes(TEXT)
    script = (
        "import sys\n"
        "from bot.diagnosis.inputs.opening import members\n"
        "from bot.diagnosis.inputs.unit import units\n"
        "for item in members(units([sys.argv[1]])[0]):\n"
        "    assert item.readinto(memoryview(bytearray(100)))\n"
        "print(*{'tarfile', 'zipfile', 'gzip', 'zlib', 'isal', 'lzma', 'bz2', 'tempfile'} & set(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", script, str(log)], capture_output=True, check=True, timeout=60)
    assert run.stdout.split() == []
