"""Given: what the caller of a run hands its runner, out of sight of everybody else."""

from collections.abc import Mapping

from gxo.dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class Given:
    """`environment` is what `env` reads, `secrets` the variables in which `secret` looks.

    `config` is the path of the configuration; empty: that of the host.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    config: str = ""
