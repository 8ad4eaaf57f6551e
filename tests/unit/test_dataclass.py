"""gxo's `dataclass` against the standard library's: one set of classes, defined by both."""

import dataclasses
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

import pytest

import gxo.dataclass as ours


class Shapes:
    """The classes of this test, defined by one of the two libraries."""

    def __init__(self, library: Any) -> None:
        define, field = library.dataclass, library.field

        @define(frozen=True, slots=True)
        class Point:
            """A point."""

            kind: ClassVar[str] = "point"
            x: int
            y: int = 2
            note: str = field(default="", compare=False)
            tags: dict[str, int] = field(default_factory=dict, repr=False)

            @property
            def sum(self) -> int:
                return self.x + self.y

        @define(frozen=True, slots=True, kw_only=True)
        class Placed(Point):
            kind: ClassVar[str] = "placed"
            y: int = 5
            at: int

        @define(slots=True)
        class Counter:
            count: int = 0
            seen: list[int] = field(default_factory=list)

        @define(frozen=True, slots=True, eq=False)
        class Unique:
            name: str

        @define(frozen=True, slots=True)
        class Address:
            host: str
            port: int
            span: int = field(compare=False)

        @define(frozen=True, slots=True)
        class Empty:
            pass

        @define(frozen=True, slots=True)
        class Own:
            name: str

            def __repr__(self) -> str:
                return f"<{self.name}>"

            def __eq__(self, other: object) -> bool:
                return True

            def __hash__(self) -> int:
                return 7

        @define(frozen=True, slots=True)
        class Late:
            shared: "ClassVar[int]" = 3
            value: "int | None" = None
            missing: list[int] = field(default_factory=list)

        self.library = library
        self.Point: Any = Point
        self.Placed: Any = Placed
        self.Counter: Any = Counter
        self.Unique: Any = Unique
        self.Address: Any = Address
        self.Empty: Any = Empty
        self.Own: Any = Own
        self.Late: Any = Late


Try = Callable[[Any], object]
TRIES: dict[str, Try] = {
    "by position": lambda s: repr(s.Point(1, 3)),
    "by name": lambda s: repr(s.Point(x=1, note="n")),
    "inherited, by name": lambda s: repr(s.Placed(1, at=4)),
    "inherited, all": lambda s: repr(s.Placed(x=1, y=7, note="n", tags={"a": 1}, at=4)),
    "too few": lambda s: s.Point(),
    "too many": lambda s: s.Point(1, 2, "", {}, 5),
    "unknown": lambda s: s.Point(1, z=2),
    "by position what is by name": lambda s: s.Placed(1, 2, "", {}, 4),
    "no fields": lambda s: repr(s.Empty()),
    "no fields equal": lambda s: s.Empty() == s.Empty(),
    "equal": lambda s: s.Point(1) == s.Point(1, 2),
    "not equal": lambda s: s.Point(1) == s.Point(1, 3),
    "not compared": lambda s: s.Point(1, note="a") == s.Point(1, note="b"),
    "another class": lambda s: s.Point(1) == s.Placed(1, at=1),
    "a stranger": lambda s: s.Point(1) == 1,
    "hash of equals": lambda s: hash(s.Unique) == hash(s.Unique),
    "hash of what cannot": lambda s: hash(s.Point(1)),
    "hash of no fields": lambda s: hash(s.Empty()) == hash(s.Empty()),
    "hash of the changeable": lambda s: hash(s.Counter()),
    "by identity": lambda s: s.Unique("a") == s.Unique("a"),
    "by identity, hashed": lambda s: len({s.Unique("a"), s.Unique("a")}),
    "own methods": lambda s: (repr(s.Own("a")), s.Own("a") == 3),
    "own hash": lambda s: hash(s.Own("a")),
    "changeable": lambda s: repr(changed(s.Counter())),
    "a default of its own": lambda s: (s.Counter().seen.append(1), s.Counter().seen)[-1],
    "properties": lambda s: s.Point(1).sum,
    "class variables": lambda s: (s.Point.kind, s.Placed(1, at=1).kind, s.Late().shared),
    "late hints": lambda s: repr(s.Late(4)),
    "no other attributes": lambda s: setattr(s.Counter(), "other", 1),
    "no dictionary": lambda s: s.Point(1).__dict__,
    "docstring": lambda s: s.Point.__doc__,
    "names": lambda s: (s.Point.__name__, s.Point.__qualname__, s.Point.__module__),
    "match": lambda s: (s.Point.__match_args__, s.Placed.__match_args__, s.Empty.__match_args__),
    "slots": lambda s: (s.Point.__slots__, s.Placed.__slots__, s.Empty.__slots__),
    "fields of a class": lambda s: [f.name for f in s.library.fields(s.Placed)],
    "fields of a value": lambda s: [(f.name, f.compare) for f in s.library.fields(s.Point(1))],
    "is one": lambda s: [s.library.is_dataclass(it) for it in (s.Point, s.Point(1), 3, int)],
    "as a dict": lambda s: s.library.asdict(s.Point(1, 2, "n", {"a": 1})),
    "as a dict, deep": lambda s: s.library.asdict(s.Late((s.Late(1), {"k": [s.Late(2)]}))),
    "replaced": lambda s: repr(s.library.replace(s.Placed(1, at=3), y=9, tags={"b": 2})),
    "replaced, names of our own": lambda s: repr(
        s.library.replace(s.Late(1), value=2, missing=[1])
    ),
    "replaced, unknown": lambda s: s.library.replace(s.Point(1), z=9),
    "a shared default": lambda s: s.library.dataclass(slots=True)(
        type("Bad", (), {"__annotations__": {"items": list}, "items": []})
    ),
}


def changed(counter: Any) -> Any:
    counter.count += 3
    return counter


@pytest.mark.parametrize("name", TRIES)
def test_both_behave_alike(name: str) -> None:
    """What is made, shown, compared, refused is the same; so is the kind of each error."""
    assert outcome(ours, TRIES[name]) == outcome(dataclasses, TRIES[name])


def outcome(library: ModuleType, attempt: Try) -> object:
    try:
        return attempt(Shapes(library))
    except (AttributeError, TypeError, ValueError) as error:
        return type(error)


@pytest.mark.parametrize("change", [lambda p: setattr(p, "x", 3), lambda p: delattr(p, "x")])
def test_frozen_values_stay(change: Callable[[Any], None]) -> None:
    """A field can neither be set nor deleted, and the error says which."""
    point = Shapes(ours).Point(1)
    with pytest.raises(AttributeError, match="cannot change `x`: Point is frozen"):
        change(point)
    assert point.x == 1


def test_equal_values_have_one_hash() -> None:
    """What is equal is one key of a dict, whatever is not compared."""
    address = Shapes(ours).Address
    hosts = [address("a", 1, span=1), address("a", 1, span=2), address("b", 1, span=1)]
    assert len(set(hosts)) == 2


def test_subclasses_made_first_or_last_have_their_own_init() -> None:
    """The first instance of a class decides nothing for the classes above and below it."""
    for order in (("Point", "Placed"), ("Placed", "Point")):
        shapes = Shapes(ours)
        for name in order:
            values: dict[str, Any] = {"at": 1} if name == "Placed" else {}
            assert getattr(shapes, name)(0, **values).y == (5 if name == "Placed" else 2)


def test_slots_are_a_must() -> None:
    """The decorator makes nothing that would be slower than it says."""
    with pytest.raises(AssertionError):
        ours.dataclass(slots=False)(type("Loose", (), {}))
