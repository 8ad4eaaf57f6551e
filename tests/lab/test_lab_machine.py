"""What the tests' machines promise to the tests."""

from pathlib import Path

from tests.lab import roots
from tests.lab.machine import Machine


def test_each_version_is_real(machine: Machine) -> None:
    """The machine runs the systemd it says it runs."""
    assert machine.run("systemctl", "--version").stdout.split()[1] == str(machine.version)


def test_gxo_runs_inside(machine: Machine) -> None:
    """The checkout's gxo starts inside, with the guest's own interpreter and libraries."""
    done = machine.gxo("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "validate" in done.stdout


def test_files_go_in_and_out(machine: Machine) -> None:
    """A written file is there for the guest's programs, with its mode."""
    path = machine.write("/etc/gxo-lab-test/a file", "größe\n", 0o600)
    assert machine.run("stat", "--format=%a %s", path).stdout == "600 8\n"
    assert machine.read(path) == "größe\n"
    assert not Path(path).exists()


def test_sources_turn_to_the_other_suite(tmp_path: Path) -> None:
    """Both forms of apt's sources give the archive and the security updates of another suite."""
    (tmp_path / "sources.list").write_text(
        "# deb http://ignored/debian x main\ndeb [arch=amd64] http://a/debian bookworm main\n"
    )
    assert roots.sources("trixie", tmp_path) == ("deb http://a/debian trixie main",)
    (tmp_path / "sources.list").unlink()
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(
        "Types: deb\nURIs: http://b/debian\nSuites: bookworm\n\n"
        "Types: deb\nURIs: http://b/debian-security\nSuites: bookworm-security\n"
    )
    assert roots.sources("trixie", tmp_path) == (
        "deb http://b/debian trixie main",
        "deb http://b/debian-security trixie-security main",
    )
