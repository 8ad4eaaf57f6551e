"""What others put under the names of gxo's units: found, matched to units, worded."""

from pathlib import Path

import pytest

from gxo.apply.foreign import CONTROL, Foreign, Kind, named, read_foreign

WEB = "gxo-p.web.service"


def test_every_kind_is_found(tmp_path: Path) -> None:
    """Masks (a link, or an empty file), units and drop-ins of gxo's names, and nothing else."""
    for name in (f"{WEB}.d", "gxo-.timer.d", "service.d", "gxo-p.web.service.wants"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.conf").touch()
        (tmp_path / name / "note.txt").touch()
    (tmp_path / "gxo-p.db.service").symlink_to("/dev/null")
    (tmp_path / "gxo-p.job.timer").touch()
    (tmp_path / "gxo-p.slice").write_text("[Slice]\n")
    (tmp_path / "nginx.service").write_text("[Service]\n")
    found = read_foreign((str(tmp_path), str(tmp_path / "absent")))
    assert [(Path(f.path).relative_to(tmp_path).as_posix(), f.name, f.kind) for f in found] == [
        ("gxo-.timer.d/a.conf", "gxo-.timer", Kind.DROP_IN),
        ("gxo-p.db.service", "gxo-p.db.service", Kind.MASK),
        ("gxo-p.job.timer", "gxo-p.job.timer", Kind.MASK),
        ("gxo-p.slice", "gxo-p.slice", Kind.UNIT),
        (f"{WEB}.d/a.conf", WEB, Kind.DROP_IN),
    ]


@pytest.mark.parametrize(
    ("name", "kind", "concerned"),
    [
        (WEB, Kind.DROP_IN, True),
        (WEB, Kind.MASK, True),
        ("gxo-.service", Kind.DROP_IN, True),
        ("gxo-.timer", Kind.DROP_IN, False),
        ("gxo-.service", Kind.MASK, False),
        ("gxo-p.web2.service", Kind.DROP_IN, False),
    ],
)
def test_whom_it_concerns(name: str, kind: Kind, *, concerned: bool) -> None:
    """The unit of that name; a drop-in for a name that ends in `-`, all that begin so."""
    assert Foreign(f"/etc/systemd/system/{name}", name, kind).concerns(WEB) is concerned


@pytest.mark.parametrize(
    ("file", "remedy"),
    [
        (
            Foreign(f"/run/systemd/system/{WEB}", WEB, Kind.MASK),
            f"/run/systemd/system/{WEB} masks {WEB}; run `systemctl unmask --runtime {WEB}`",
        ),
        (
            Foreign("/etc/systemd/system/x", r"gxo-a\x2db.web.service", Kind.MASK),
            f"/etc/systemd/system/x masks {WEB}; run `systemctl unmask 'gxo-a\\x2db.web.service'`",
        ),
        (
            Foreign(f"/etc/systemd/system/{WEB}", WEB, Kind.UNIT),
            f"/etc/systemd/system/{WEB} takes the name of {WEB}; remove that file and run "
            "`systemctl daemon-reload`",
        ),
    ],
)
def test_the_way_out(file: Foreign, remedy: str) -> None:
    """A command that can be typed as it stands."""
    assert file.remedy(WEB) == remedy


def test_what_is_the_hosts_own() -> None:
    """A drop-in for all units of a type may become normal; what set-property wrote is lifted."""
    assert not named("/etc/systemd/system/service.d/x.conf")
    assert not named(f"/run/systemd/transient/{WEB}.d/50-x.conf")
    assert named("/etc/systemd/system/gxo-.service.d/x.conf")
    assert Foreign(f"{CONTROL[1]}/{WEB}.d/50-x.conf", WEB, Kind.DROP_IN).ours_to_lift
