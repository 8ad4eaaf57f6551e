"""What can be wrong with names: of playbooks and what is in them, and of things of the host."""

from difflib import get_close_matches
from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class BadName(Problem):
    """`noun` is what is named: "a workload", "a var"."""

    code: ClassVar[str] = "bad-name"
    noun: str
    name: str
    allowed: str
    advice: str | None = None

    def message(self) -> str:
        return f"`{self.name}` cannot name {self.noun}: a name is made of {self.allowed}"

    def hint(self) -> str | None:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class NameTooLong(Problem):
    code: ClassVar[str] = "name-too-long"
    noun: str
    limit: int

    def message(self) -> str:
        return f"the name of {self.noun} may have at most {self.limit} characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesTooLong(Problem):
    """Playbook and workload together would give a unit a name that systemd refuses."""

    code: ClassVar[str] = "names-too-long"
    playbook: str
    workload: str

    def message(self) -> str:
        return (
            f"the names of playbook `{self.playbook}` and workload `{self.workload}` are too long "
            "together: a unit's name holds both"
        )

    def hint(self) -> str:
        return "shorten one; a hyphen counts as four characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPlaybookName(Problem):
    """The file's stem is no name; `second` if another document of the file has it already."""

    code: ClassVar[str] = "no-playbook-name"
    stem: str
    second: bool = False

    def message(self) -> str:
        if self.second:
            return "the second playbook of a file needs a `name`"
        return f"the playbook needs a `name`: that of its file, `{self.stem}`, cannot be one"

    def hint(self) -> str:
        if self.second:
            return "the first one is named after the file"
        return "a name is made of letters, digits, `_` and `-`"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownCapability(Problem):
    code: ClassVar[str] = "unknown-capability"
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"no Linux capability is named `{self.name}`"

    def hint(self) -> str:
        bare = {name.removeprefix("CAP_"): name for name in self.known}
        given = self.name.upper().removeprefix("CAP_")
        longer = [name for name in bare if given and name.startswith(given)]
        close = longer or get_close_matches(given, bare, 1, 0.6)
        if close:
            return f"did you mean `{bare[close[0]]}`?"
        return "their names are in capabilities(7), such as `CAP_NET_BIND_SERVICE`"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadNetwork(Problem):
    code: ClassVar[str] = "bad-network"
    value: str
    reason: str

    def message(self) -> str:
        return f"`{self.value}` is not a network: {self.reason}"

    def hint(self) -> str:
        return (
            "write an address or a prefix such as `10.0.0.0/8` or `fd00::/8`, "
            "or `any`, `localhost`, `link-local`, `multicast`"
        )
