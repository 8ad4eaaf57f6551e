"""Where a secret may not stand: its value would be kept, or shown."""

from typing import TYPE_CHECKING

from gxo.diagnostic.lazy import Lazy
from gxo.language.reader import Reader
from gxo.template.names import uses
from gxo.template.value import Literal, Value

if TYPE_CHECKING:
    from gxo.diagnostic import modules as module_faults
else:
    module_faults = Lazy("gxo.diagnostic.modules")


def refuse_public(reader: Reader, param: str, value: Value) -> None:
    """In a param that everybody can read."""
    if reader.secrets and not isinstance(value, Literal):
        for use in uses(value):
            if use.function == "secret":
                reader.problems.append(module_faults.SecretInCommand(span=use.span, param=param))


def refuse_kept(reader: Reader, key: str, value: Value) -> None:
    """In a key whose value is kept in plans or shown in the course of a run."""
    if reader.secrets and not isinstance(value, Literal):
        for use in uses(value):
            if use.function == "secret":
                reader.problems.append(module_faults.SecretHere(span=use.span, key=key))
