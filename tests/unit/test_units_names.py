"""Names of units, directories and users: no two workloads share one, and each can be read back."""

import re
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from gxo.units.model import UnitType
from gxo.units.names import UnitName, WorkloadNames, escape, parse, playbook_slice, unescape

# as in playbooks, and beyond: what stands in names elsewhere must not break ours
NAMES = st.text(st.sampled_from("aB3_-.@\\x%: é/"), min_size=1, max_size=6)


@given(NAMES)
def test_escaping_is_undone(text: str) -> None:
    """A part of a unit's name holds only what is safe in one, and gives back its text."""
    assert re.fullmatch(r"(?:[A-Za-z0-9_]|\\x[0-9a-f]{2})+", escape(text))
    assert unescape(escape(text)) == text


@given(NAMES, NAMES, st.sampled_from(UnitType), st.sampled_from(["", "0123456789ab"]))
def test_a_unit_says_whose_it_is(one: str, two: str, kind: UnitType, digest: str) -> None:
    """Playbook, workload, digest and type come back out of a unit's name."""
    unit = WorkloadNames(one, two, digest).unit(kind)
    expected = None if kind is UnitType.SLICE else UnitName(one, two, digest, kind)
    assert parse(unit) == expected


def test_no_two_workloads_share_a_name() -> None:
    """Wherever hyphens and dots fall, units, directories and users differ, and so do slices."""
    words = ["a", "a-b", "b", "b-c", "c", "a.b", "b.c", "a_b", "x2d", "a~2db", "0123456789ab"]
    all_names = [WorkloadNames(one, two) for one, two in product(words, words)]
    for kinds in (
        [names.unit(UnitType.SERVICE) for names in all_names],
        [names.directory for names in all_names],
        [names.state for names in all_names],
        [names.user for names in all_names],
    ):
        assert len(set(kinds)) == len(all_names)
    assert len({playbook_slice(word) for word in words}) == len(words)


def test_runs_share_no_user() -> None:
    """What two runs hold up of one workload, and what is applied of it, are strangers."""
    users = {WorkloadNames("site", "web", run=run).user for run in ("", "1" * 12, "2" * 12)}
    assert len(users) == 3


def test_names_as_they_look() -> None:
    """Plain names stay plain; a hyphen does not nest a slice."""
    names = WorkloadNames("my-site", "web", "f" * 64)
    assert names.unit(UnitType.TIMER) == "gxo-my\\x2dsite.web.ffffffffffff.timer"
    assert names.workspace == "gxo/workspaces/my-site.web.ffffffffffff"
    assert names.state == "gxo/state/my-site.web"
    assert playbook_slice("my-site") == "gxo-my\\x2dsite.slice"


def test_foreign_units_are_nobodys() -> None:
    """Units that are not an applied workload's say nothing."""
    for unit in (
        "gxo.slice",
        "gxo-site.slice",
        "gxo-run-77.service",
        "gxo-restore.service",
        "nginx.service",
        "gxo-a.b.c.d.service",
        "gxo-a.b.mount",
        "gxo-\\xff.b.service",
    ):
        assert parse(unit) is None
