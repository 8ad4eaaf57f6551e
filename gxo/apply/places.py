"""Places: where gxo and systemd keep what an apply touches; and what an apply prunes of it."""

from enum import StrEnum

from gxo.apply.stamps import Stamps
from gxo.apply.store import Store
from gxo.dataclass import dataclass, field
from gxo.systemd.journal import Journal


class Prune(StrEnum):
    """What is removed that is no longer in the files: nothing, workloads, or playbooks too."""

    NONE = "none"
    WORKLOADS = "workloads"
    PLAYBOOKS = "playbooks"


@dataclass(frozen=True, slots=True)
class Places:
    """Where gxo and systemd keep what an apply reads and writes."""

    store: Store = field(default_factory=Store)
    stamps: Stamps = field(default_factory=Stamps)
    journal: Journal = field(default_factory=Journal)


HERE = Places()
