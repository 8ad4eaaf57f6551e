"""The library: the spec of every module that comes with gxo, by its name."""

from collections.abc import Mapping

from gxo.spec.module import ModuleSpec, by_name
from gxo.spec.modules.control import CONTROL
from gxo.spec.modules.data import DATA
from gxo.spec.modules.host import HOST
from gxo.spec.modules.network import NETWORK

LIBRARY: Mapping[str, ModuleSpec] = by_name((*HOST, *CONTROL, *NETWORK, *DATA))
NAMESPACES = frozenset({"gxo", *(name.split(":")[0] for name in LIBRARY)})
"""What the names of modules from outside cannot begin with."""
