"""What the tests of whole machines share: the machine, and gxo installed in it.

The machines are testinfra's hosts (`--hosts`, `--ssh-config`); who started them does not matter,
except that QEMU's power is cut through the sockets in the directory that `--power` names.
"""

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from testinfra.host import Host

from guest import Cut, Guest
from machine.image import VENV
from machine.suite import CHECKOUT

EXAMPLES = "/var/tmp/examples"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("vm-tests")
    group.addoption("--power", type=Path, help="directory of QEMU's control sockets, HOST.qmp")
    group.addoption("--cuts", type=int, default=3, help="how many power cuts, by default 3")
    seed = time.time_ns() % 1_000_000
    group.addoption("--seed", type=int, default=seed, help="what chooses the instants of the cuts")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each power cut. The seed is in its name, so that the run can be repeated."""
    if "cut" in metafunc.fixturenames:
        seed = metafunc.config.getoption("--seed")
        chance = random.Random(seed)
        numbers = range(1, metafunc.config.getoption("--cuts") + 1)
        cuts = [Cut(number=number, fraction=chance.random()) for number in numbers]
        metafunc.parametrize("cut", cuts, ids=[f"seed={seed}-{cut.number}" for cut in cuts])


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout's gxo as a wheel."""
    into = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(into)]
    subprocess.run([*build, str(CHECKOUT)], check=True, capture_output=True)
    (built,) = into.glob("gxo-*.whl")
    return built


@pytest.fixture(scope="module")
def guest(host: Host, pytestconfig: pytest.Config) -> Guest:
    """The machine, for what is more than a command in it."""
    directory = pytestconfig.getoption("--power")
    name = host.backend.get_hostname()
    return Guest(host=host, control=directory / f"{name}.qmp" if directory else None)


@pytest.fixture(scope="module")
def gxo(guest: Guest, wheel: Path) -> Host:
    """The machine with this very wheel installed and the examples beside it."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    stamp = f"{VENV}/{digest}"
    if not guest.host.file(stamp).exists:
        guest.copy(wheel, "/var/tmp/")
        guest.host.check_output(
            f"{VENV}/bin/pip install --quiet --no-index --no-deps --force-reinstall "
            f"/var/tmp/{wheel.name} && touch {stamp}"
        )
    guest.host.check_output(f"rm -rf {EXAMPLES}")
    guest.copy(CHECKOUT / "examples", "/var/tmp/")
    guest.host.check_output("sync")  # what a power cut takes is to be gxo's, not pip's
    return guest.host
