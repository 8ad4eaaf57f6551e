"""A module from outside the library, as a plan carries it: its spec, and a digest of its files."""

from gxo.dataclass import dataclass
from gxo.spec.module import ModuleSpec

_WORD = "[a-z][a-z0-9_-]{0,30}"
MODULE_NAME = f"{_WORD}:{_WORD}"
"""What the names of such modules look like: a namespace, and a name in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """`path` is its directory, `digest` that of its manifest, `entry` the file that is started."""

    spec: ModuleSpec
    path: str
    digest: str
    entry: str
