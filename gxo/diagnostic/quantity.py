"""What can be wrong with durations, sizes and addresses."""

from typing import ClassVar

from gxo.dataclass import dataclass
from gxo.diagnostic.base import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantitySyntax(Problem):
    """`kind` is `duration` or `size`, here and below; `instead` a likelier spelling of it."""

    code: ClassVar[str] = "quantity-syntax"

    kind: str
    text: str
    instead: str | None = None

    def message(self) -> str:
        return (
            f"cannot read the {self.kind} `{self.text}`"
            if self.text
            else f"the {self.kind} is empty"
        )

    def hint(self) -> str:
        examples = "`1h30m`, `1.5s` or `500ms`" if self.kind == "duration" else "`64M` or `1.5G`"
        return f"write `{self.instead}`" if self.instead else f"write it as in {examples}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitMissing(Problem):
    code: ClassVar[str] = "unit-missing"

    number: str

    def message(self) -> str:
        return f"`{self.number}` has no unit of time"

    def hint(self) -> str:
        return f"write `{self.number}s` for seconds; the units are h, m, s, ms, us and ns"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownUnit(Problem):
    code: ClassVar[str] = "unknown-unit"

    kind: str
    unit: str
    instead: str | None = None

    def message(self) -> str:
        return f"`{self.unit}` is not a unit of {'time' if self.kind == 'duration' else 'size'}"

    def hint(self) -> str:
        units = "h, m, s, ms, us and ns"
        if self.kind == "size":
            units = "K, M, G and T, each 1024 times the one before, and none for bytes"
        return (f"write `{self.instead}`; " if self.instead else "") + f"the units are {units}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NegativeQuantity(Problem):
    code: ClassVar[str] = "negative-quantity"

    kind: str

    def message(self) -> str:
        return f"a {self.kind} cannot be negative"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityTooLarge(Problem):
    code: ClassVar[str] = "quantity-too-large"

    kind: str
    most: str

    def message(self) -> str:
        return f"the {self.kind} is too large: at most {self.most}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityTooFine(Problem):
    code: ClassVar[str] = "quantity-too-fine"

    text: str

    def message(self) -> str:
        return f"`{self.text}` is not a whole number of microseconds, the finest systemd can count"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressSyntax(Problem):
    """`instead` is the text with the brackets an IPv6 address needs, where it is one."""

    code: ClassVar[str] = "address-syntax"

    text: str
    instead: str | None = None

    def message(self) -> str:
        if self.instead:
            return "an IPv6 address before a port needs brackets"
        return f"cannot read the address `{self.text}`" if self.text else "the address is empty"

    def hint(self) -> str:
        if self.instead:
            return f"write `{self.instead}`"
        return "write it as in `127.0.0.1:80`, `[::1]:80`, `localhost:80` or `:80`"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortMissing(Problem):
    code: ClassVar[str] = "port-missing"

    host: str

    def message(self) -> str:
        return f"the address `{self.host}` has no port"

    def hint(self) -> str:
        if self.host.isdigit():
            return f"write `:{self.host}` for this port on every address of the host"
        return f"write `{self.host.rstrip(':')}:80`"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadPort(Problem):
    code: ClassVar[str] = "bad-port"

    text: str

    def message(self) -> str:
        return f"`{self.text}` is not a port: a port is a number from 1 to 65535"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadHost(Problem):
    code: ClassVar[str] = "bad-host"

    text: str
    kind: str

    def message(self) -> str:
        return f"`{self.text}` is not {self.kind}"
