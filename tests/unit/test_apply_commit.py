"""How a process ended, in words."""

import pytest

from gxo.apply.commit import describe


@pytest.mark.parametrize(
    ("status", "said"),
    [(203, "its program cannot be run"), (217, "its user does not"), (226, "its sandbox could")],
)
def test_systemds_own_statuses_are_named(status: int, said: str) -> None:
    """A status with which systemd gave up before the program ran is said in words."""
    assert f"status {status}: {said}" in describe("exited", status, "exit-code")
