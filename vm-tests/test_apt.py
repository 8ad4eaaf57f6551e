"""A host's apt sources, told for another release: no machine is needed for these."""

from pathlib import Path

import pytest

from machine import apt
from machine.error import MachineError

KEY = "/usr/share/keyrings/some.gpg"


def etc(directory: Path, *, sources: dict[str, str], codename: str = "bookworm") -> Path:
    (directory / "apt/sources.list.d").mkdir(parents=True)
    (directory / "os-release").write_text(f"ID=debian\nVERSION_CODENAME={codename}\n")
    for name, text in sources.items():
        (directory / "apt" / name).write_text(text)
    return directory


def test_deb822_sources_name_the_other_release(tmp_path: Path) -> None:
    """Each Debian archive of a .sources file is kept, with the release's name exchanged."""
    text = f"""\
# the archive
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: {KEY}

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
Signed-By: {KEY}
"""
    assert apt.lines_for(
        "trixie", etc=etc(tmp_path, sources={"sources.list.d/debian.sources": text})
    ) == (
        f"deb [signed-by={KEY}] http://mirror.example/debian trixie main",
        f"deb [signed-by={KEY}] http://mirror.example/debian trixie-updates main",
        f"deb [signed-by={KEY}] http://mirror.example/security trixie-security main",
    )


def test_one_line_sources_are_read(tmp_path: Path) -> None:
    """sources.list's own form, with and without options, comments and source packages."""
    text = f"""\
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by={KEY}] http://mirror.example/debian bookworm main contrib  # ours
deb-src http://mirror.example/debian bookworm main
"""
    assert apt.lines_for("bookworm", etc=etc(tmp_path, sources={"sources.list": text})) == (
        f"deb [signed-by={KEY}] http://mirror.example/debian bookworm main",
    )


def test_third_party_and_disabled_sources_are_left_out(tmp_path: Path) -> None:
    """Only what belongs to the host's Debian release can be had for another."""
    sources = {
        "sources.list": "deb https://vendor.example/apt vendor-bookworm main\n",
        "sources.list.d/off.sources": (
            "Types: deb\nEnabled: no\nURIs: http://mirror.example/debian\n"
            "Suites: bookworm\nComponents: main\n"
        ),
    }
    with pytest.raises(MachineError, match="no apt source of this host has the suite `bookworm`"):
        apt.lines_for("trixie", etc=etc(tmp_path, sources=sources))
