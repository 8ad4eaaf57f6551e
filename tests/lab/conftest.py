"""Fixtures: a real systemd of each version that gxo supports.

`lab`, `lab257`       the bare labs, one a session
`machine`             the test runs on 252 and on 257, on labs shared by the session
`live`                the systemd of such a machine, over its bus
`fresh_machine`       as `machine`, on labs of the test's own (reboots, kills, counts of units)
`whole_machine`       the same, booted as far as a server is, so that gxo-restore.service runs
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gxo.dataclass import replace
from gxo.lab import Lab
from gxo.systemd.bus import Bus
from tests.lab import roots
from tests.lab.machine import Machine, spec_for
from tests.lab.units_live import Live

VERSIONS = tuple(roots.SUITES)


def root_for(version: int) -> Path:
    """The host's own tree where its systemd is of that version, else another Debian's."""
    return Path("/") if roots.host_version() == version else roots.tree(version)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab over this host's own tree."""
    with Lab.boot(spec_for(Path("/"))) as booted:
        yield booted


@pytest.fixture(scope="session")
def other_lab() -> Iterator[Lab]:
    """A lab over the tree of the Debian that this host is not."""
    version = next(v for v in VERSIONS if v != roots.host_version())
    with Lab.boot(spec_for(roots.tree(version))) as booted:
        yield booted


@pytest.fixture(scope="session")
def lab257(request: pytest.FixtureRequest) -> Lab:
    """A lab with systemd 257."""
    booted: Lab = request.getfixturevalue("lab" if roots.host_version() == 257 else "other_lab")
    return booted


@pytest.fixture(params=VERSIONS)
def machine(request: pytest.FixtureRequest) -> Machine:
    """A machine with systemd 252, then one with 257, shared by all tests of the session."""
    version: int = request.param
    name = "lab" if roots.host_version() == version else "other_lab"
    return Machine(request.getfixturevalue(name), version)


@pytest.fixture
def live(machine: Machine) -> Iterator[Live]:
    """The systemd of the shared machine, over its bus."""
    with Bus.at(machine.lab.bus_address) as bus:
        yield Live(machine, bus)


@pytest.fixture(params=VERSIONS)
def fresh_machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A machine of the test's own, with systemd 252, then with 257."""
    with Lab.boot(spec_for(root_for(request.param))) as booted:
        yield Machine(booted, request.param)


@pytest.fixture(params=VERSIONS)
def whole_machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A machine of the test's own that boots as far as a server does, and restores by itself."""
    spec = replace(spec_for(root_for(request.param)), target="multi-user.target")
    with Lab.boot(spec) as booted:
        yield Machine(booted, request.param)
