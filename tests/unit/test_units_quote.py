"""Quoting and the table of directives: what may stand in a unit, and how."""

import pytest

from gxo.units import kinds as k
from gxo.units import quote
from gxo.units.directives import TABLE, directive, fault, line
from gxo.units.files import render_file
from gxo.units.kinds import INFINITY
from gxo.units.model import Command, Directive, DirectiveValue, Unit, UnitType
from gxo.units.properties import properties


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain-/.:@=+,~^", "plain-/.:@=+,~^"),
        ("", '""'),
        ("a b", '"a b"'),
        ("50%n", '"50%%n"'),
        ("$HOME", '"$HOME"'),
        ('say "x"', '"say \\"x\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("two\nlines\t", '"two\\nlines\\t"'),
        (";", '";"'),
        ("é", '"é"'),
    ],
)
def test_words(text: str, shown: str) -> None:
    """A word stands bare where that is safe, else between quotes with C escapes."""
    assert quote.file_word(text) == shown


def test_commands() -> None:
    """A command line keeps systemd from expanding anything in it."""
    argv = ("/bin/echo", "$HOME", "100%")
    assert quote.file_command(argv) == ':/bin/echo "$HOME" "100%%"'
    assert quote.file_command(argv, ignore_failure=True).startswith("-:/bin/echo ")


@pytest.mark.parametrize(
    "char",
    [
        "\0",
        "\x01",
        "\r",
        "\x1b",
        "\x7f",
        "\x85",
        "\u2028",
        "\ud800",
        "\ufdd0",
        "\ufffe",
        "\U0010ffff",
    ],
)
def test_control_characters_are_refused(char: str) -> None:
    """No text with a control character passes any of the checks."""
    for check in (quote.words_fault, quote.text_fault):
        assert "it holds a" in str(check(f"a{char}b"))
    assert "it holds a" in str(quote.path_fault(f"/a{char}b"))
    assert "it holds a" in str(quote.program_fault(f"/a{char}b"))


@pytest.mark.parametrize("char", ["\n", "\t"])
def test_line_breaks(char: str) -> None:
    """Line breaks and tabs pass as arguments alone."""
    assert quote.words_fault(f"a{char}b") is None
    assert quote.text_fault(f"a{char}b") is not None
    assert quote.path_fault(f"/a{char}b") is not None
    assert quote.program_fault(f"a{char}b") is not None


EVIL = "x\nExecStartPre=/bin/touch /run/pwned"
HOSTILE: dict[k.Kind, DirectiveValue] = {
    **dict.fromkeys((k.TEXT, k.CALENDAR, k.LISTEN_STREAM, k.LISTEN_DATAGRAM), EVIL),
    **dict.fromkeys((k.WORDS, k.FILTER, k.CAPABILITY_SET, k.NAMESPACE_SET), (EVIL,)),
    k.PATH: f"/{EVIL}",
    k.PATHS: ("/a", f"/{EVIL}"),
    k.BIND: f"/a:/{EVIL}",
    k.FIELD: f"A={EVIL}",
    k.CREDENTIAL: f"a:/{EVIL}",
    k.ADDRESS_PREFIX: EVIL,
}
ESCAPED: dict[k.Kind, DirectiveValue] = {
    k.COMMAND: Command(("/bin/true", EVIL)),
    k.VARIABLE: f"A={EVIL}",
    k.BYTES: EVIL,
}
"""As arguments, variables and bytes line breaks pass: tests/lab/test_units_text.py."""
NO_TEXT = (k.BOOL, k.TIME, k.AMOUNT, k.NUMBER, k.MODE, k.SIGNAL, k.ERRNO, k.QUOTA)


def unit_of(setting: Directive) -> Unit:
    """A service of this directive alone."""
    return Unit(
        name="x.service",
        type=UnitType.SERVICE,
        playbook="p",
        workload="w",
        directives=(setting,),
        digest="",
    )


@pytest.mark.parametrize("name", [row.name for row in TABLE.values() if row.kind not in NO_TEXT])
def test_newline_in_every_string_property(name: str) -> None:
    """Whatever brought it there, it reaches systemd neither in a file nor over the bus."""
    kind = TABLE[name].kind
    setting = directive(name, (HOSTILE | ESCAPED)[kind])
    unit = unit_of(setting)
    if kind in ESCAPED:
        assert "\n" not in line(setting)
        return
    for render in (render_file, properties):
        with pytest.raises(ValueError, match=f"cannot write {name}= into a unit: it holds a line"):
            render(unit)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" a", "begins or ends with a blank"),
        ("a ", "begins or ends with a blank"),
        ("a\\", "ends with a backslash"),
        ("a" * 200_000, "longer than"),
    ],
)
def test_unquoted_text(text: str, reason: str) -> None:
    """Text that systemd would trim or join to the next line cannot stand unquoted."""
    assert reason in str(quote.text_fault(text))


@pytest.mark.parametrize(
    "path",
    ["", "a", "./a", "/a/../b", "/a/./b", '/a"', "/a\\b", "/a'b", "/" + "a" * 256, "/a/" * 1400],
)
def test_paths(path: str) -> None:
    """Only plain absolute paths pass."""
    assert quote.path_fault(path) is not None
    assert quote.path_fault("/srv/a b/50%/é:x") is None


@pytest.mark.parametrize(
    "program", ["", "-x", "@x", ":x", "+x", "!x", "|x", "a/b", "..", "/bin/", '/a"', "/a\\x"]
)
def test_programs(program: str) -> None:
    """A program is an absolute path or a name, with nothing that systemd reads as a flag."""
    assert quote.program_fault(program) is not None
    assert quote.program_fault("/opt/my app/-run") is None
    assert quote.program_fault("nginx") is None


def test_long_lines() -> None:
    """One long argument passes up to Linux's limit, all together up to systemd's."""
    longest = "a" * quote.LONGEST_WORD
    assert fault(directive("ExecStart", Command(("/bin/x", longest)))) is None
    assert "longer" in str(fault(directive("ExecStart", Command(("/bin/x", longest + "a")))))
    assert "longer" in str(fault(directive("ExecStart", Command(("/bin/x", *[longest] * 8)))))


@pytest.mark.parametrize(
    ("name", "value", "shown", "told"),
    [
        ("PrivateTmp", True, "yes", True),
        ("TimeoutStopSec", 90_000_000, "90s", 90_000_000),
        ("TimeoutStopSec", 1_500_000, "1500ms", 1_500_000),
        ("TimeoutStopSec", 7, "7us", 7),
        ("TimeoutStartSec", INFINITY, "infinity", INFINITY),
        ("UMask", 0o27, "0027", 23),
        ("CPUQuota", 255_000, "25.5%", 255_000),
        ("CPUQuota", 12_345_600, "1234.56%", 12_345_600),
        ("MemoryMax", 1 << 30, "1073741824", 1 << 30),
        ("KillSignal", 15, "SIGTERM", 15),
        ("SystemCallErrorNumber", 1, "EPERM", 1),
        ("Description", "50% a", "50%% a", "50% a"),
        ("CapabilityBoundingSet", (), "", 0),
        ("CapabilityBoundingSet", ("CAP_CHOWN", "CAP_KILL"), "CAP_CHOWN CAP_KILL", 33),
        ("RestrictNamespaces", (), "yes", 0),
        ("RestrictNamespaces", ("user", "net"), "user net", 0x50000000),
        ("SystemCallFilter", ("~@a", "b"), "~@a b", (False, ("@a", "b"))),
        ("IPAddressDeny", "::/0", "::/0", ((10, (0,) * 16, 0),)),
        ("IPAddressAllow", "10.0.0.0/8", "10.0.0.0/8", ((2, (10, 0, 0, 0), 8),)),
        ("OnCalendar", "daily", "daily", (("OnCalendar", "daily"),)),
        ("StandardInputData", "a\0", "YQA=", b"a\0"),
        ("Environment", "A=b c", '"A=b c"', ("A=b c",)),
    ],
)
def test_values(name: str, value: DirectiveValue, shown: str, told: object) -> None:
    """Each kind of value as a file shows it and as the bus takes it."""
    setting = directive(name, value)
    assert line(setting) == f"{name}={shown}"
    unit = unit_of(setting)
    (entry,) = properties(unit)
    assert entry.value == told
    assert entry.name == TABLE[name].property


def test_only_files_say_who_wants_a_unit() -> None:
    """[Install] is for files: there is no property for it."""
    assert [row.name for row in TABLE.values() if not row.property] == ["WantedBy"]
