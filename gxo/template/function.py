"""What a function of the templates is: its parameters, its purity, its doc; and calling one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from gxo.dataclass import dataclass, field
from gxo.template.data import is_number, kind
from gxo.template.fault import Failure, TooMuch
from gxo.template.limits import Limits
from gxo.template.value import Data


class Kind(StrEnum):
    """What a parameter takes, in the words of messages and of the reference."""

    ANY = "any value"
    TEXT = "text"
    INTEGER = "a whole number"
    NUMBER = "a number"
    LIST = "a list"
    MAP = "a map"
    BOX = "a list or a map"
    SIZED = "text, a list or a map"
    ROW = "text or a list"


_TAKES: Mapping[Kind, Callable[[Data], bool]] = {
    Kind.ANY: lambda _: True,
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.INTEGER: lambda value: isinstance(value, int) and not isinstance(value, bool),
    Kind.NUMBER: is_number,
    Kind.LIST: lambda value: isinstance(value, list),
    Kind.MAP: lambda value: isinstance(value, dict),
    Kind.BOX: lambda value: isinstance(value, list | dict),
    Kind.SIZED: lambda value: isinstance(value, str | list | dict),
    Kind.ROW: lambda value: isinstance(value, str | list),
}
_CONVERT = {
    Kind.TEXT: "`toString` makes text of it",
    Kind.INTEGER: "`int` makes a whole number of it",
    Kind.NUMBER: "`float` or `int` makes a number of it",
}


@dataclass(frozen=True, slots=True)
class Param:
    name: str
    kind: Kind

    def refuses(self, value: Data) -> Failure | None:
        """Why it cannot take the value, or None. The value is not shown: it may be a secret."""
        if _TAKES[self.kind](value):
            return None
        hint = "give a value for this case with `default`" if value is None else None
        scalar = not isinstance(value, list | dict)
        return Failure(
            f"{self.name.upper()} must be {self.kind}, not {kind(value)}",
            hint=hint or (_CONVERT.get(self.kind) if scalar else None),
        )


@dataclass(frozen=True, slots=True)
class Function:
    """One row of the table. `implementation` gets the arguments, after Limits where `limited`."""

    name: str
    params: tuple[Param, ...]
    implementation: Callable[..., Data] | None
    doc: str
    example: tuple[str, str]
    """A template and what it prints."""
    least: int
    most: int | None
    """How many arguments; None: as many as one likes, each as the last of `params`."""
    limited: bool = False
    lenient: bool = False
    """A missing key in a path among its arguments reads as nil."""
    grows: Callable[[Sequence[Data]], int] | None = None
    """At most how long the result gets, where that can be much more than the arguments are."""

    @property
    def pure(self) -> bool:
        """Whether the same arguments always give the same value, also at compile time."""
        return self.implementation is not None

    def param(self, index: int) -> Param:
        return self.params[min(index, len(self.params) - 1)]

    @property
    def usage(self) -> str:
        """`replace OLD NEW TEXT`, as the reference and messages show it."""
        words = [self.name]
        for index, param in enumerate(self.params):
            last = self.most is None and index == len(self.params) - 1
            word = param.name.upper() + ("…" if last else "")
            words.append(word if index < self.least else f"[{word}]")
        return " ".join(words)

    def check(self, arguments: Sequence[Data]) -> None:
        """Failure for the first argument that the function does not take."""
        for index, argument in enumerate(arguments):
            failure = self.param(index).refuses(argument)
            if failure:
                failure.argument = index
                raise failure


def make(
    signature: str,
    implementation: Callable[..., Data] | None,
    doc: str,
    example: tuple[str, str],
    *,
    limited: bool = False,
    lenient: bool = False,
    grows: Callable[[Sequence[Data]], int] | None = None,
) -> Function:
    """A row from `name first:text second:integer? rest:any*`: `?` may be left out, `*` repeated
    from none, `+` from one on.
    """
    name, *words = signature.split()
    params, least, most = [], 0, len(words)
    endless = False
    for word in words:
        param, _, kinds = word.partition(":")
        if kinds[-1] not in "?*":
            least += 1
        endless = endless or kinds[-1] in "*+"
        params.append(Param(param, Kind[kinds.rstrip("?*+").upper()]))
    return Function(
        name,
        tuple(params),
        implementation,
        doc,
        example,
        least,
        None if endless else most,
        limited,
        lenient,
        grows,
    )


@dataclass(frozen=True, slots=True)
class FunctionTable:
    """The functions that one evaluation may call; `effects` says what those that are not pure do.

    An effect may raise Failure. One that is missing is an error where a template calls it.
    """

    functions: Mapping[str, Function]
    effects: Mapping[str, Callable[..., Data]] = field(default_factory=dict)

    def get(self, name: str) -> Function | None:
        return self.functions.get(name)

    def can(self, function: Function) -> bool:
        """Whether the function may be called here."""
        return function.pure or function.name in self.effects

    def call(self, function: Function, arguments: Sequence[Data], limits: Limits) -> Data:
        """The value; raises Failure and TooMuch."""
        function.check(arguments)
        if function.grows and function.grows(arguments) > limits.size:
            raise TooMuch("characters", limits.size)
        work = function.implementation or self.effects[function.name]
        try:
            result = work(limits, *arguments) if function.limited else work(*arguments)
        except UnicodeEncodeError:
            raise Failure("a text in it holds half a character (a lone surrogate)") from None
        except (OverflowError, ZeroDivisionError):
            raise Failure("the result is too large for a number") from None
        if isinstance(result, str) and len(result) > limits.size:
            raise TooMuch("characters", limits.size)
        return result


def by_name(functions: Iterable[Function]) -> dict[str, Function]:
    table: dict[str, Function] = {}
    for function in functions:
        assert function.name not in table, function.name
        table[function.name] = function
    return table
