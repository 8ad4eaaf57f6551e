"""Names: of units, slices, directories and users of a workload, and back from a unit's name.

Playbook and workload stand in a unit's name as systemd escapes them (systemd-escape(1)), dots too,
so that no two workloads share a name, nor a place in the tree of slices, which nest at hyphens.
"""

import re

from gxo.dataclass import dataclass
from gxo.units.model import UnitType

LONGEST = 255
"""Characters of a unit's name (systemd.unit(5))."""
DIGEST_DIGITS = 12
"""Hexadecimal digits of a digest that stand in names."""
ROOT_SLICE = "gxo.slice"
RESTARTS = "gxo/restarts"
"""Where restarts are counted, below /run: a directory for each service."""
COUNT = "count"
"""The file in it."""

_PLAIN = re.compile(r"[A-Za-z0-9_]*")
_OTHER = re.compile(r"[^A-Za-z0-9_]")
_ESCAPED = re.compile(r"(?:\\x[0-9a-f]{2})+")
_UNIT = re.compile(
    r"gxo-(?P<playbook>[^.-]+)\.(?P<workload>[^.-]+)"
    r"(?:\.(?P<digest>[0-9a-f]{12}))?\.(?P<type>service|timer|socket)"
)
_DIRECTORY = re.compile(r"[^A-Za-z0-9_-]")


def escape(text: str) -> str:
    r"""`text` as one part of a unit's name: all but letters, digits and `_` as `\xNN`."""
    if _PLAIN.fullmatch(text):
        return text
    return _OTHER.sub(lambda m: "".join(f"\\x{byte:02x}" for byte in m[0].encode()), text)


def unescape(part: str) -> str:
    """The text that `escape` made `part` of; ValueError where it is not UTF-8."""
    return _ESCAPED.sub(lambda m: bytes.fromhex(m[0].replace("\\x", "")).decode(), part)


def playbook_slice(playbook: str) -> str:
    """The slice of all of a playbook's units, within gxo.slice by its name."""
    return f"gxo-{escape(playbook)}.slice"


@dataclass(frozen=True, slots=True)
class WorkloadNames:
    """Everything on a host that is named after one workload.

    `digest` is set for units that are new with each revision (a schedule's timer and service),
    `run` for a service in a run, which shares nothing with what is applied or with other runs.
    """

    playbook: str
    workload: str
    digest: str = ""
    run: str = ""

    def unit(self, kind: UnitType) -> str:
        if self.run:
            return f"gxorun-{self.run}.{escape(self.workload)}.{kind}"
        digest = f".{self.digest[:DIGEST_DIGITS]}" if self.digest else ""
        return f"gxo-{escape(self.playbook)}.{escape(self.workload)}{digest}.{kind}"

    @property
    def directory(self) -> str:
        """The name of its directories: as unique as the unit's, and valid in every directive."""
        name = f"{_in_path(self.playbook)}.{_in_path(self.workload)}"
        if self.run:
            return run_directories(self.run).replace("*", name)
        return f"{name}.{self.digest[:DIGEST_DIGITS]}" if self.digest else name

    @property
    def workspace(self) -> str:
        """Its private working directory, below /run."""
        return f"gxo/workspaces/{self.directory}"

    @property
    def restarts(self) -> str:
        """The directory in which a service counts its restarts, below /run."""
        return f"{RESTARTS}/{self.directory}"

    @property
    def state(self) -> str:
        """Its StateDirectory=, below /var/lib: the same for all its revisions."""
        return f"gxo/state/{_in_path(self.playbook)}.{_in_path(self.workload)}"

    @property
    def user(self) -> str:
        """Its dynamic user, in all revisions, or in this run; a hash, as user names are short."""
        from hashlib import sha256  # brings OpenSSL

        whose = f"{self.state}/{self.run}" if self.run else self.state
        return f"gxo-{sha256(whose.encode()).hexdigest()[:12]}"

    @property
    def label(self) -> str:
        """Its name for people, and in the journal."""
        return f"{self.playbook}.{self.workload}"


def run_directories(run: str) -> str:
    """A glob for the directories of a run's services; `*` is the part of each workload."""
    return f"run.{run}.*"


@dataclass(frozen=True, slots=True)
class UnitName:
    """What a unit's name says; `digest` is empty where the name has none."""

    playbook: str
    workload: str
    digest: str
    type: UnitType


def parse(unit: str) -> UnitName | None:
    """The workload that a unit belongs to; None for units that are not an applied workload's."""
    found = _UNIT.fullmatch(unit)
    if found is None:
        return None
    try:
        playbook, workload = unescape(found["playbook"]), unescape(found["workload"])
    except ValueError:
        return None
    return UnitName(playbook, workload, found["digest"] or "", UnitType(found["type"]))


def _in_path(text: str) -> str:
    return _DIRECTORY.sub(lambda m: "".join(f"~{byte:02x}" for byte in m[0].encode()), text)
