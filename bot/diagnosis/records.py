# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204, PLC0415 - type checkers read the other branch
"""`dataclass` for what `coldmigrate diagnose` loads on its way to a small log: the same, made ten times sooner.

The standard library writes and compiles six functions for each class, and loads `inspect` for it; fifty classes cost as
much as all the rest of a start. Here one function is compiled and the others are shared. To type checkers it is the
standard library's, and its own `fields`, `replace` and `is_dataclass` take what is made here.

Only what is used is there: `slots=True` always, no inheritance of fields, no `__post_init__`, no class variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - handed on
    from dataclasses import field as field  # noqa: PLC0414
    from dataclasses import fields as fields  # noqa: PLC0414
    from dataclasses import is_dataclass as is_dataclass  # noqa: PLC0414
    from dataclasses import replace as replace  # noqa: PLC0414
else:
    from operator import attrgetter
    from types import SimpleNamespace

    _NAMES = "__record_names__"
    _VALUES = "__record_values__"

    class _Factory:
        __slots__ = ("make",)

        def __init__(self, make):
            self.make = make

    def field(*, default_factory):
        return _Factory(default_factory)

    def fields(record):
        """Return what has the `name` of each field, and nothing else."""
        return tuple(SimpleNamespace(name=name) for name in getattr(record, _NAMES))

    def is_dataclass(record):
        return hasattr(record, _NAMES)

    def replace(record, /, **changes):
        values = {name: getattr(record, name) for name in getattr(record, _NAMES)}
        return type(record)(**(values | changes))

    def dataclass(cls=None, /, *, slots, frozen=False, kw_only=False):
        if cls is None:
            return lambda later: dataclass(later, slots=slots, frozen=frozen, kw_only=kw_only)
        if not slots or any(hasattr(base, _NAMES) for base in cls.__bases__) or hasattr(cls, "__post_init__"):
            raise TypeError(f"{cls.__name__}: see the head of {__name__} for what is possible here")
        names = tuple(cls.__dict__.get("__annotations__", ()))  # noqa: RUF063 - `inspect` is what is spared
        defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
        made = _with_slots(cls, names, frozen=frozen, positional=not kw_only)
        made.__init__ = _initializer(made, names, defaults, kw_only=kw_only)
        made.__dataclass_fields__ = _FieldsForStrangers(defaults, kw_only=kw_only)
        return made

    def _with_slots(cls, names, *, frozen, positional):
        """A class with slots must be made anew, as it must in the standard library."""
        body = {name: value for name, value in cls.__dict__.items() if name not in {*names, "__dict__", "__weakref__"}}
        shared = _FROZEN if frozen else _OPEN
        given = {
            "__slots__": names,
            "__match_args__": names if positional else (),
            _NAMES: names,
            _VALUES: attrgetter(*names) if len(names) > 1 else _few(names),
        }
        made = type(cls)(cls.__name__, cls.__bases__, {**shared, **body, **given})
        made.__qualname__ = cls.__qualname__
        return made

    def _few(names):
        """`attrgetter` gives no tuple for one name, and nothing for none."""
        return lambda record: tuple(getattr(record, name) for name in names)

    def _initializer(cls, names, defaults, *, kw_only):
        known = {f"set_{name}": getattr(cls, name).__set__ for name in names}
        arguments, lines = [], []
        for name in names:
            argument, value = name, name
            if name in defaults:
                default = defaults[name]
                known[f"default_{name}"] = default
                argument = f"{name}=default_{name}"
                if isinstance(default, _Factory):
                    known[f"make_{name}"] = default.make
                    value = f"make_{name}() if {name} is default_{name} else {name}"
            arguments.append(argument)
            lines.append(f" set_{name}(self, {value})")
        head = ", ".join(["self", *(["*"] if kw_only and names else []), *arguments])
        exec("\n".join([f"def __init__({head}):", *(lines or [" pass"])]), known)  # noqa: S102 - of our own names
        initializer = known["__init__"]
        initializer.__qualname__ = f"{cls.__qualname__}.__init__"
        return initializer

    class _FieldsForStrangers:
        """What `dataclasses.fields`, `replace` and `asdict` look for; made by the standard library when they do."""

        def __init__(self, defaults, *, kw_only):
            self._defaults = defaults
            self._kw_only = kw_only

        def __get__(self, record, cls):
            import dataclasses

            parts = []
            for name, type_ in cls.__annotations__.items():
                default = self._defaults.get(name, dataclasses.MISSING)
                if isinstance(default, _Factory):
                    part = dataclasses.field(default_factory=default.make)
                else:
                    part = dataclasses.field(default=default)
                parts.append((name, type_, part))
            twin = dataclasses.make_dataclass(cls.__name__, parts, kw_only=self._kw_only)
            cls.__dataclass_fields__ = twin.__dataclass_fields__
            return cls.__dataclass_fields__

    def _repr(self):
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in getattr(self, _NAMES))
        return f"{type(self).__qualname__}({told})"

    def _eq(self, other):
        if type(self) is not type(other):
            return NotImplemented
        values = getattr(type(self), _VALUES)
        return values(self) == values(other)

    def _hash(self):
        return hash(getattr(type(self), _VALUES)(self))

    def _refuse(self, name, *_):
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"{type(self).__name__}.{name} is frozen")

    def _reduce(self):
        return _rebuilt, (type(self), getattr(type(self), _VALUES)(self))

    def _rebuilt(cls, values):
        record = object.__new__(cls)
        for name, value in zip(getattr(cls, _NAMES), values, strict=True):
            getattr(cls, name).__set__(record, value)
        return record

    _OPEN = {"__repr__": _repr, "__eq__": _eq, "__hash__": None, "__reduce__": _reduce}
    _FROZEN = {**_OPEN, "__hash__": _hash, "__setattr__": _refuse, "__delattr__": _refuse}
