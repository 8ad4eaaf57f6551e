"""Arbitrary text through systemd and back: what a program gets is what the playbook said."""

import itertools
import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gxo.spec.lifecycle import RunOnce
from gxo.spec.policy import Profile, SecurityContext
from gxo.systemd.bus import Bus
from gxo.units import quote
from gxo.units.build import Target, compile_units
from gxo.units.files import render_file
from gxo.units.model import Unit
from gxo.units.properties import properties
from tests.lab.machine import Machine
from tests.lab.units_live import Live
from tests.unit.units_plans import SPAN, plan, step

# what quoting is about, far more often than chance would have it
_SPICE = st.sampled_from(
    [
        "$",
        "${HOME}",
        "$$",
        "%",
        "%n",
        "%%",
        "\\",
        "\\\\",
        '"',
        "'",
        ";",
        " ",
        "\n",
        "\t",
        "#",
        "-@:+!|",
    ]
)
_CHARACTER = st.characters(codec="utf-8")
TEXTS = st.lists(st.one_of(_SPICE, _CHARACTER), max_size=12).map("".join)
MANY = st.lists(TEXTS, min_size=60, max_size=60)

_names = itertools.count()
"""Each check has units of its own: systemd forgets a name only a moment after its end."""

_DUMP = (
    "import json, os, sys;"
    "env = {k: v for k, v in os.environ.items() if k.startswith('V_')};"
    "json.dump([sys.argv[2:], env, sys.stdin.buffer.read().decode()], open(sys.argv[1], 'w'))"
)


@pytest.fixture(scope="module", params=(252, 257))
def live(request: pytest.FixtureRequest) -> Iterator[Live]:
    from tests.lab import roots

    lab = request.getfixturevalue("lab" if roots.host_version() == request.param else "other_lab")
    with Bus.at(lab.bus_address) as bus:
        yield Live(Machine(lab, request.param), bus)


def dumping(version: int, playbook: str, texts: list[str], out: str) -> Unit:
    """A job that writes down its arguments, its environment and its input: all are `texts`."""
    environment = [f"V_{number}={text}" for number, text in enumerate(texts)]
    made, problems = compile_units(
        plan(
            step(
                "dump",
                RunOnce(span=SPAN),
                SecurityContext(span=SPAN, profile=Profile.HOST),
                command="/usr/bin/python3",
                args=["-c", _DUMP, out, *texts],
                environment=environment,
                stdin="".join(texts),
            ),
            playbook=playbook,
        ),
        Target(systemd=version),
    )
    assert problems == ()
    return made[0]


def check(live: Live, texts: list[str]) -> None:
    """Both renderings of a unit hold `texts` as they are, in systemd's memory and when run."""
    texts = [text for text in texts if quote.words_fault(text) is None]
    live.machine.write("/run/text/ready", "")
    name, version = f"text{next(_names)}", live.machine.version
    unit = dumping(version, name, texts, "/run/text/transient")
    file = dumping(version, f"{name}file", texts, "/run/text/file")
    live.load_files([file])
    loaded = live.manager.properties(file.name, ["LoadState", "LoadError"])
    assert (loaded["LoadState"], *loaded["LoadError"]) == ("loaded", "", ""), (
        f"{live.machine.journal('-n', '30', '_PID=1')}{render_file(file)}"
    )
    told = [live.property(file.name, "ExecStartEx")[0][1][4:]]
    try:
        with live.manager.jobs() as jobs:
            jobs.start_transient(unit.name, properties(unit))
            jobs.start(file.name)
            outcomes = jobs.wait(60).values()
        assert [(o.result, o.error) for o in outcomes] == [("done", None), ("done", None)]
    finally:
        live.machine.lab.path(f"/run/systemd/system/{file.name}").unlink()
    assert told == [texts]
    expected = [texts, {f"V_{n}": text for n, text in enumerate(texts)}, "".join(texts)]
    assert json.loads(live.machine.read("/run/text/file")) == expected
    assert json.loads(live.machine.read("/run/text/transient")) == expected


_LIVE = settings(
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # to make a failing case smaller takes minutes here
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
    ],
)


@settings(_LIVE, max_examples=8)
@given(texts=MANY)
def test_any_text(live: Live, texts: list[str]) -> None:
    """A program gets any text that quoting lets through, letter for letter, by both renderings."""
    check(live, texts)


@pytest.mark.soak
@pytest.mark.timeout(3000)
@settings(_LIVE, max_examples=300)
@given(texts=MANY)
def test_very_much_text(live: Live, texts: list[str]) -> None:
    """Some 18,000 random texts reach systemd unchanged too."""
    check(live, texts)


@pytest.mark.parametrize("char", ["\ufdcf", "\ufdf0", "\ufffd", "\U0001fffd", "\U0010fffd"])
def test_beside_what_is_no_character(live: Live, char: str) -> None:
    """The neighbours of what Unicode keeps for itself pass, which systemd does not take."""
    check(live, [char])


def test_the_longest_line(live: Live) -> None:
    """A command line and a variable at the limits still run from both renderings."""
    check(live, ["é" * (quote.LONGEST_WORD // 2 - 4), *['"' * 4000] * 10])
