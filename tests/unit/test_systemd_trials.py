"""What `gxo doctor` tries: all that a profile promises."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gxo.spec.policy import (
    CallAction,
    CallProfile,
    CallRule,
    Namespaces,
    Network,
    Profile,
    Resources,
    RootFilesystem,
    Seccomp,
    SecurityContext,
)
from gxo.systemd.trials import trials
from gxo.units import profiles
from gxo.units.names import WorkloadNames
from gxo.units.security import security
from gxo.units.target import Target
from tests.unit.units_plans import SPAN

GRANTS = {"ReadWritePaths", "IPAddressAllow", "User"}
"""What takes nothing away by itself: it is tried with what it belongs to."""


@pytest.mark.parametrize("profile", Profile)
def test_each_directive_of_a_profile_is_tried(profile: Profile) -> None:
    """A directive that no trial is about could do nothing on a host, and nobody would know."""
    listed = (*profiles.profile(profile, 257, own_pids=True), *profiles.filters(profile))
    tried = {directive for trial in trials(257) for directive in trial.directives}
    assert {setting.name for setting in listed} <= tried


TREE = "tests/lab/test_root_filesystem.py::test_a_tree_in_place_of_the_hosts"
ELSEWHERE = {
    "AmbientCapabilities": "tests/lab/test_units_security.py::test_capabilities_and_users",
    "RootImage": "vm-tests/test_isolation.py::test_a_root_filesystem_in_a_file",
    "RootDirectoryStartOnly": TREE,
    "MountAPIVFS": TREE,
    # a share and a log: they keep nobody from anything, and are read back from systemd
    "IOWeight": "tests/lab/test_units_renderings.py::test_renderings_are_equal",
    "SystemCallLog": "tests/lab/test_units_renderings.py::test_renderings_are_equal",
}
"""Directives of which no short service without a playbook could show what they do."""
TOP = Path(__file__).parent.parent.parent


def test_each_directive_of_a_security_context_is_tried() -> None:
    """By the doctor, beside a control, or by a test that is named here and is there."""
    given = {name for context in contexts() for name in directives(context)}
    tried = {directive for trial in trials(257) for directive in trial.directives}
    assert given - tried == set(ELSEWHERE)
    for test in ELSEWHERE.values():
        path, _, name = test.partition("::")
        assert f"def {name}(" in (TOP / path).read_text(), test


def contexts() -> Iterator[SecurityContext]:
    """Every key of a security context, and every profile."""
    logged = CallRule(span=SPAN, names=("bpf",), action=CallAction.LOG)
    listed = CallProfile(span=SPAN, default=CallAction.ERRNO, rules=(logged,))
    for profile in Profile:
        yield SecurityContext(span=SPAN, profile=profile)
        for root in (
            RootFilesystem(span=SPAN, path="/srv/root"),
            RootFilesystem(span=SPAN, image="/srv/root.raw"),
        ):
            yield SecurityContext(
                span=SPAN,
                profile=profile,
                user="web",
                root_filesystem=root,
                resources=Resources(
                    span=SPAN, memory_max=1, cpu_quota=1000, tasks_max=1, io_weight=1
                ),
                seccomp=Seccomp(span=SPAN, profile_path="/srv/calls.json", listed=listed),
                namespaces=Namespaces(
                    span=SPAN, pid=True, mount=True, ipc=True, uts=True, net=True
                ),
                capabilities=("CAP_CHOWN",),
                read_write_paths=("/srv",),
                read_only_paths=("/var",),
                network=Network(span=SPAN, allow=("localhost",), deny=("any",)),
            )


def directives(context: SecurityContext) -> Iterator[str]:
    """Those that a context becomes where all can be enforced."""
    settings, problems = security(context, WorkloadNames("site", "web"), Target(systemd=257))
    assert problems == ()
    yield from (setting.name for setting in settings)


def test_a_trial_sets_what_it_is_about() -> None:
    """Each has the property of each directive that it is told of, under one name of its own."""
    names = {"CPUQuota": "CPUQuotaPerSecUSec"}
    for trial in trials(257):
        given = {entry.name for entry in trial.properties}
        assert {names.get(d, d) for d in trial.directives} - GRANTS <= given, trial.name
    assert len({trial.name for trial in trials(257)}) == len(trials(257))


def test_each_systemd_is_asked_the_same() -> None:
    """What an older one does by other means is tried under the same name."""
    older, newer = (
        [(trial.name, trial.directives) for trial in trials(number)] for number in (252, 257)
    )
    assert older == newer
