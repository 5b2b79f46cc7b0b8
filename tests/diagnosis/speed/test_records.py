"""What `records` makes is what the standard library would have made, told by the same trials on both."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys

import pytest

from bot.diagnosis import records
from bot.diagnosis.inputs.member import Note
from bot.diagnosis.scan import Found, Tally


class Made:
    """The same classes by one maker."""

    def __init__(self, maker):
        @maker.dataclass(frozen=True, slots=True)
        class Line:
            text: str
            number: int = 1
            marks: list[str] = maker.field(default_factory=list)

            @property
            def shout(self):
                return self.text.upper()

        @maker.dataclass(frozen=True, slots=True, kw_only=True)
        class Named:
            first: int = 0
            second: int

        @maker.dataclass(slots=True)
        class Open:
            value: int

        @maker.dataclass(frozen=True, slots=True)
        class Nothing:
            pass

        self.maker, self.Line, self.Named, self.Open, self.Nothing = maker, Line, Named, Open, Nothing


TRIALS = {
    "defaults": lambda made: (made.Line("a").number, made.Line("a").marks, made.Line("a", marks=["x"]).marks),
    "each has its own": lambda made: made.Line("a").marks is made.Line("a").marks,
    "a missing value": lambda made: made.Line(),
    "a value too many": lambda made: made.Line("a", 1, [], 2),
    "a stranger": lambda made: made.Line("a", nothing=1),
    "a name twice": lambda made: made.Line("a", text="b"),
    "keywords only": lambda made: made.Named(1, 2),
    "keywords": lambda made: (made.Named(second=2).first, made.Named(second=2).second),
    "repr": lambda made: (repr(made.Line("a")), repr(made.Named(second=2)), repr(made.Nothing())),
    "equal": lambda made: (made.Line("a") == made.Line("a"), made.Line("a") == made.Line("b"), made.Line("a") == "a"),
    "one value": lambda made: (made.Open(1) == made.Open(1), made.Nothing() == made.Nothing()),
    "hash": lambda made: hash(made.Line("a", 1, ())) == hash(made.Line("a", 1, ())),
    "no hash": lambda made: hash(made.Open(1)),
    "frozen": lambda made: setattr(made.Line("a"), "text", "b"),
    "frozen for good": lambda made: delattr(made.Line("a"), "text"),
    "not frozen": lambda made: setattr(made.Open(1), "value", 2),
    "no place for more": lambda made: setattr(made.Open(1), "other", 2),
    "methods stay": lambda made: made.Line("a").shout,
    "positions": lambda made: (made.Line.__match_args__, made.Named.__match_args__),
    "replace": lambda made: made.maker.replace(made.Line("a"), number=7).number,
    "replace a stranger": lambda made: made.maker.replace(made.Line("a"), nothing=7),
    "names": lambda made: [entry.name for entry in made.maker.fields(made.Line("a"))],
    "what it is": lambda made: (made.maker.is_dataclass(made.Line("a")), made.maker.is_dataclass(made.Line),
                                made.maker.is_dataclass("a")),
    "copy": lambda made: copy.copy(made.Line("a", 3)) == made.Line("a", 3),
    "the library's names": lambda made: [entry.name for entry in dataclasses.fields(made.Line)],
    "the library's replace": lambda made: dataclasses.replace(made.Line("a"), number=7).number,
    "the library's dict": lambda made: dataclasses.asdict(made.Named(second=2)),
}  # fmt: skip


def outcome(trial, maker):
    try:
        return str(trial(Made(maker)))
    except Exception as error:  # noqa: BLE001 - what is raised is compared
        return type(error)


@pytest.mark.parametrize("trial", TRIALS.values(), ids=TRIALS)
def test_both_makers_agree(trial):
    assert outcome(trial, records) == outcome(trial, dataclasses)


def test_records_travel_between_processes():
    for record in (Found(3, b"x", hit=True), Note("a", "b"), Tally(1, 2, 3)):
        assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301 - our own


@pytest.mark.parametrize(
    "body", [{"slots": False}, {"slots": True, "frozen": True, "parent": True}, {"slots": True, "after": True}]
)
def test_what_is_not_offered_is_refused(body):
    parent = records.dataclass(slots=True)(type("Parent", (), {"__annotations__": {"a": int}}))
    bases = (parent,) if body.pop("parent", False) else ()
    attributes = {"__post_init__": None} if body.pop("after", False) else {}
    with pytest.raises(TypeError, match="see the head of"):
        records.dataclass(type("Child", bases, attributes), **body)


def test_the_engine_needs_neither_dataclasses_nor_inspect():
    """Fifty classes made by the standard library cost as much as the rest of the start."""
    code = "import sys, bot.diagnosis.engine; print({'inspect', 'dataclasses', 'click', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
