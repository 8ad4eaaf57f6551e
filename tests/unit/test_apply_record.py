"""Records of applied playbooks: what is written comes back, whole or not at all."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gxo.apply.desired import Desired, Part
from gxo.apply.record import (
    Baseline,
    Intent,
    Observed,
    Outcome,
    Revision,
    to_desired,
    to_revision,
)
from gxo.apply.store import KEPT, Store, StoreError
from gxo.plan.codec import decode, encode
from gxo.spec.lifecycle import Policy
from gxo.units.model import Command, Directive, Unit, UnitType
from tests.drawing import any_of

WORDS = st.lists(st.text(), max_size=3).map(tuple)
VALUES = st.booleans() | st.integers() | st.text() | WORDS | st.builds(Command, argv=WORDS)
UNITS = any_of(
    Unit,
    directives=st.lists(
        st.builds(Directive, st.text(), st.text(), VALUES, st.none()), max_size=4
    ).map(tuple),
)
PARTS = any_of(Part, units=st.lists(UNITS, min_size=1, max_size=2).map(tuple), after=WORDS)


@given(
    any_of(
        Desired,
        slices=st.lists(UNITS, max_size=1).map(tuple),
        parts=st.lists(PARTS, max_size=2).map(tuple),
        removal=st.just(False),
    )
)
@settings(deadline=None)
def test_a_revision_keeps_units_in_full(wanted: Desired) -> None:
    """What a revision wants is what was wanted, to each directive's type, through JSON on disk."""
    text = json.dumps(encode(to_revision(wanted, 3, 17, "0.1")))
    again = to_desired(decode(Revision, json.loads(text)))
    assert again == wanted
    assert repr(again) == repr(wanted)


def revision(number: int, playbook: str = "site") -> Revision:
    unit = Unit(
        name=f"gxo-{playbook}.web.service",
        type=UnitType.SERVICE,
        playbook=playbook,
        workload="web",
        directives=(Directive("Service", "ExecStart", Command(("/bin/true",))),),
        digest="d" * 12,
    )
    part = Part(workload="web", policy=Policy.SUPERVISE, units=(unit,))
    return to_revision(Desired(playbook=playbook, parts=(part,)), number, 5, "0.1")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "applied")


def test_a_new_store_is_empty(store: Store) -> None:
    """Where nothing was ever applied, there is nothing, and asking makes nothing."""
    assert store.playbooks() == ()
    assert store.current("site") is None
    assert store.observed("site") == Observed()
    assert store.intent("site") is None
    assert not store.place.exists()


def test_the_last_revision_is_current(store: Store) -> None:
    """Revisions are numbered; the highest counts, also past nine, where names sort otherwise."""
    for number in (9, 10, 11):
        store.save_revision(revision(number))
    assert store.numbers("site") == (9, 10, 11)
    assert store.current("site") == revision(11)
    assert store.revision("site", 9) == revision(9)


def test_ten_revisions_are_kept(store: Store) -> None:
    """Older ones go as new ones come."""
    for number in range(1, KEPT + 6):
        store.save_revision(revision(number))
    assert store.numbers("site") == tuple(range(6, KEPT + 6))
    with pytest.raises(StoreError, match="cannot find revision 5 of `site`"):
        store.revision("site", 5)


def test_what_was_observed_comes_back(store: Store) -> None:
    """Outcomes and baselines survive."""
    observed = Observed(
        outcomes={
            "setup": Outcome(digest="a", ok=False, ended=9, detail="it exited with status 1")
        },
        baselines={
            "u": Baseline(
                digest="b", systemd="252", properties={"MemoryMax": "1"}, drop_ins=("/x",)
            )
        },
    )
    store.save_observed("site", observed)
    assert store.observed("site") == observed


def test_an_intent_of_a_playbook_that_came_to_nothing_leaves_nothing(store: Store) -> None:
    """After the first apply of a playbook was taken back, its name is unknown again."""
    store.save_intent("site", Intent(started=1, target=revision(1)))
    assert store.playbooks() == ("site",)
    assert store.intent("site") == Intent(started=1, target=revision(1))
    store.drop_intent("site")
    assert store.playbooks() == ()


def test_forgetting_removes_all_of_one_playbook(store: Store) -> None:
    """Another playbook's records stay; forgetting twice is fine; nothing is left on disk."""
    store.save_revision(revision(1))
    store.save_revision(revision(1, "other"))
    store.save_observed("site", Observed())
    store.forget("site")
    store.forget("site")
    assert store.playbooks() == ("other",)
    assert [path.name for path in store.place.iterdir()] == ["other"]


def test_a_torn_write_is_not_seen(store: Store) -> None:
    """What a power cut left of a write is ignored, and the next write replaces it."""
    store.save_revision(revision(1))
    (store.place / "site" / ".2.json.new").write_text('{"version": 1, "rec')
    assert store.current("site") == revision(1)
    store.save_revision(revision(2))
    assert store.current("site") == revision(2)
    assert not (store.place / "site" / ".2.json.new").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "cannot read"),
        ("[]", "its version is None"),
        ('{"version": 0, "record": {}}', "its version is 0, not 1"),
        ('{"version": 2, "record": {}}', r"a newer gxo wrote it \(version 2, here 1\)"),
        ("[" * 100_000, "nested too deep"),
        ('{"version": 1, "record": {"$": "Intent"}}', "it is broken"),
    ],
)
def test_a_broken_record_is_one_clear_error(store: Store, text: str, reason: str) -> None:
    """Damage, or a record of a later gxo, is refused with the file's name, and never guessed at."""
    store.save_revision(revision(1))
    path = store.place / "site" / "1.json"
    path.write_text(text)
    with pytest.raises(StoreError, match=reason) as raised:
        store.current("site")
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("word", ["supervise", "service"])
def test_a_word_of_a_newer_gxo_is_one_clear_error(store: Store, word: str) -> None:
    """A policy or a type of unit that is not known here, in a record that is whole otherwise."""
    store.save_revision(revision(1))
    path = store.place / "site" / "1.json"
    path.write_text(path.read_text().replace(f'"{word}"', '"telepathy"'))
    with pytest.raises(StoreError, match=r"1\.json: this gxo does not know `telepathy`; `mv "):
        store.current("site")


def test_records_are_for_root_alone(store: Store) -> None:
    """Files and directories of a store give nothing to other users, whatever the umask is."""
    old = os.umask(0)
    try:
        store.save_revision(revision(1))
    finally:
        os.umask(old)
    assert (store.place / "site").stat().st_mode & 0o777 == 0o700
    assert (store.place / "site" / "1.json").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    """A write that cannot be done says which file and why."""
    with pytest.raises(StoreError, match=r"cannot write /dev/full/.*: Not a directory"):
        Store(Path("/dev/full")).save_revision(revision(1))
