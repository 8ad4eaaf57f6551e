"""Plain data to D-Bus values and back, and what is refused on the way."""

import subprocess
import sys
from pathlib import Path

import pytest
from gi.repository import GLib
from hypothesis import given
from hypothesis import strategies as st

from gxo.systemd import values
from gxo.units.model import Property

ROUND = [
    ("s", "größe\n\t"),
    ("b", True),
    ("y", 255),
    ("n", -32768),
    ("q", 65535),
    ("i", -(1 << 31)),
    ("u", (1 << 32) - 1),
    ("x", -(1 << 63)),
    ("t", (1 << 64) - 1),
    ("d", 1.5),
    ("o", "/org/x"),
    ("g", "a(sv)"),
    ("as", ["a", ""]),
    ("as", []),
    ("ao", ["/a", "/b"]),
    ("ay", b"\0\xff"),
    ("ay", b""),
    ("aay", [b"GXO_PLAYBOOK=site", b""]),
    ("a(sasb)", [("/bin/x", ["/bin/x", "y"], False)]),
    ("a(ss)", []),
    ("a{sas}", {"a": ["b"], "c": []}),
    ("(s(ub))", ("a", (7, True))),
]


@pytest.mark.parametrize(("signature", "value"), ROUND)
def test_what_goes_in_comes_out(signature: str, value: object) -> None:
    """Each type is packed as the signature says, and unpacked to the same data."""
    packed = values.pack(signature, [value])
    assert packed.get_type_string() == f"({signature})"
    assert values.unpack(packed) == (value,)


@pytest.mark.parametrize(("signature", "value"), ROUND)
def test_packing_agrees_with_glib(signature: str, value: object) -> None:
    """The bytes are those that PyGObject's own, slower constructor makes."""
    theirs = GLib.Variant(f"({signature})", (value,))
    assert values.pack(signature, [value]).equal(theirs)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_survives(text: str) -> None:
    """Every text without NUL and lone surrogates comes back as it was, alone and in a list."""
    assert values.unpack(values.pack("sas", (text, [text]))) == (text, [text])


@pytest.mark.parametrize(
    ("signature", "value", "why"),
    [
        ("u", -1, "does not fit a `u`"),
        ("u", 1 << 32, "does not fit a `u`"),
        ("t", "5", "does not fit a `t`"),
        ("s", 5, "is not text"),
        ("s", "a\0b", "NUL"),
        ("s", "\ud800", "not valid Unicode"),
        ("as", ["ok", None], "is not text"),
        ("as", "text", "one value where a list is wanted"),
        ("(ss)", ("a",), "is not a `(ss)`"),
        ("(ss)", "ab", "is not a `(ss)`"),
        ("b", 1, "does not fit a `b`"),
        ("d", "x", "does not fit a `d`"),
        ("o", "no path", "does not fit a `o`"),
        ("g", "zz", "does not fit a `g`"),
        ("zz", 1, "not a D-Bus type"),
        ("", 1, "is not a `()`"),
    ],
)
def test_misfits_are_refused(signature: str, value: object, why: str) -> None:
    """Data that does not fit its signature is a ValueError that says so, never a crash in GLib."""
    with pytest.raises(ValueError) as caught:
        values.pack(signature, [value])
    assert why in str(caught.value)


def test_properties_keep_their_order_and_name_the_culprit() -> None:
    """Properties are packed in the order given, repeated ones too; an error names the property."""
    listed = [
        Property("ExecStartPre", "a(sasb)", [("/a", ["/a"], False)]),
        Property("Environment", "as", ["A=1"]),
        Property("Environment", "as", ("B=2",)),
        Property("TasksMax", "t", 5),
        Property("Delegate", "b", True),
        Property("DeviceAllow", "a(ss)", ()),
    ]
    packed = values.unpack(values.pack_properties(listed))
    assert packed == [
        ("ExecStartPre", [("/a", ["/a"], False)]),
        ("Environment", ["A=1"]),
        ("Environment", ["B=2"]),
        ("TasksMax", 5),
        ("Delegate", True),
        ("DeviceAllow", []),
    ]
    with pytest.raises(ValueError, match="property TasksMax: 'x' does not fit a `t`"):
        values.pack_properties([Property("TasksMax", "t", "x")])


def test_equal_numbers_of_other_types_stay_apart() -> None:
    """What was packed before is used again only for the same type: True is not 1."""
    listed = [Property("P", "b", True), Property("P", "t", 1), Property("P", "d", 1.0)]
    types = [p[1] for p in values.unpack(values.pack_properties(listed))]
    assert list(map(type, types)) == [bool, int, float]


def test_split() -> None:
    """A signature splits into its complete types."""
    assert values.split("sa{sv}(ss(u))aayb") == ("s", "a{sv}", "(ss(u))", "aay", "b")
    assert values.split("") == ()


@pytest.mark.parametrize(
    "module", sorted(p.stem for p in (Path(values.__file__).parent).glob("*.py"))
)
def test_importing_the_room_loads_no_gi(module: str) -> None:
    """PyGObject costs 50 ms: it is loaded when a bus is used, not when the room is imported."""
    name = "gxo.systemd" + ("" if module == "__init__" else f".{module}")
    code = f"import {name}, sys; print({{'gi', 'pydbus'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
