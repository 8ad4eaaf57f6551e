"""Runs as a command line names them: by an id, or by how one begins."""

from pathlib import Path

import pytest

from gxo.cli.exits import Failure
from gxo.cli.found import find
from gxo.runtime.status import Status
from gxo.runtime.store import RunRow, Store

RUN = "0141d9b3e1d{}"


def test_a_run_by_how_its_id_begins(tmp_path: Path) -> None:
    """The only one that begins so; where several do all are listed, or ten, each with whose."""
    with Store(tmp_path / "state.db") as store:
        for number in range(12):
            status = Status.COMPLETED
            ident = "f" * 12 if not number else RUN.format(f"{number:x}")
            store.add(RunRow(id=ident, playbook=f"p{number}", status=status, created=number))
        assert find(store, "f").id == find(store, "f" * 12).id == "f" * 12
        assert find(store, RUN.format(3)).playbook == "p3"
        with pytest.raises(Failure) as none:
            find(store, "cafe")
        with pytest.raises(Failure) as several:
            find(store, "0141")
    assert str(none.value) == "cannot find run `cafe`: `gxo runs` lists them"
    listed = ", ".join(f"{RUN.format(f'{n:x}')} of p{n}" for n in range(1, 11))
    assert str(several.value) == (
        f"cannot find run `0141`: several begin so: {listed} and more; give more of the id"
    )
