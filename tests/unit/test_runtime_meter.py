"""What programs have read and written, as the kernel counts it."""

import subprocess
from pathlib import Path

import pytest

from gxo.runtime import meter
from gxo.runtime.meter import Meter, groups_of
from gxo.runtime.names import RunNames

NAMES = RunNames(run="0141d9b3e1dd", playbook="build")
SCRIPT = "head -c 5000000 /dev/zero | cat | cat >/dev/null; echo; read gone"
"""Reads and writes five million bytes three times, by children that are gone then."""


def test_children_count_with_who_waited_for_them(tmp_path: Path) -> None:
    """A child that has ended counts with the parent that waited for it; ends take nothing back."""
    with subprocess.Popen(
        ["sh", "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as shell:
        (tmp_path / "cgroup.procs").write_text(f"{shell.pid}\n")
        counted = Meter(tmp_path)
        assert shell.stdout is not None
        assert shell.stdout.readline() == "\n"
        counted.look()
        shell.communicate("\n")
    assert counted.lives
    assert 15_000_000 <= counted.read < 15_500_000
    assert 15_000_000 <= counted.written < 15_500_000
    before = counted.read, counted.written
    counted.look()
    assert (counted.lives, counted.read, counted.written) == (False, *before)


def test_a_group_that_is_not_there(tmp_path: Path) -> None:
    """Its processes have read and written nothing, and it is no error."""
    gone = Meter(tmp_path / "gone")
    gone.look()
    assert (gone.read, gone.written) == (0, 0)


@pytest.mark.parametrize("name", ["", "name=systemd"])
def test_where_steps_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """In the tree that systemd keeps, below where its root is in a container."""
    runner = "box/gxo.slice/gxo-run-0141d9b3e1dd.service"
    (tmp_path / runner).mkdir(parents=True)
    monkeypatch.setitem(meter._TREES, name, (tmp_path / "none", tmp_path))
    found = groups_of(NAMES, f"4:memory:/box\n0:{name}:/{runner}\n")
    assert found == tmp_path / "box/gxorun.slice/gxorun-0141d9b3e1dd.slice"
    assert groups_of(NAMES, f"0:{name}:/{runner}x\n") is None
    assert groups_of(NAMES, f"0:{name}:/user.slice\n") is None
