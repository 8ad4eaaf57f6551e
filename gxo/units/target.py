"""Target: the systemd that units are compiled for."""

from collections.abc import Mapping

from gxo.dataclass import dataclass, field

OLDEST = 252
"""The oldest systemd that gxo is made for: it has all that a profile says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`gaps` maps a directive that the target does not enforce to the reason.

    `runtime` is the command that starts gxo's own part of a run there.
    """

    systemd: int
    gaps: Mapping[str, str] = field(default_factory=dict)
    runtime: tuple[str, ...] = ("/usr/bin/python3", "-I", "-m", "gxo.runtime")

    def lacks(self, directive: str, since: int) -> str | None:
        """Why a directive has no effect there; None where it takes effect."""
        if self.systemd < since:
            return f"it needs systemd {since}, this is for {self.systemd}"
        return self.gaps.get(directive)
