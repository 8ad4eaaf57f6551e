"""Names: what the units of one run are called."""

from gxo.dataclass import dataclass
from gxo.units.names import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNames:
    """The names of one run's units."""

    run: str
    playbook: str

    @property
    def runner(self) -> str:
        return f"gxo-run-{self.run}.service"

    @property
    def slice(self) -> str:
        return f"gxorun-{self.run}.slice"

    @property
    def steps(self) -> str:
        """What matches the units of all its steps."""
        return f"gxorun-{self.run}.*.service"

    def step(self, name: str, number: int) -> str:
        """`number` counts a step's iterations and attempts; the first goes without."""
        behind = f".{number}" if number else ""
        return f"gxorun-{self.run}.{escape(name)}{behind}.service"
