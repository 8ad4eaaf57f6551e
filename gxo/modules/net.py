"""Net: operators that feed one another, and what stands between them."""

from __future__ import annotations

from gxo.modules.fault import ModuleError
from gxo.modules.flow import Batch, Decoder, Operator
from gxo.modules.streams import Aside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Any

    from gxo.modules.flow import Chunk


class Node:
    """An operator and whom it feeds. `given`: what it is fed where nobody feeds it.

    A port that the operator does not want yet is laid aside in a file of `directory`. `where` is
    put before what its operator has to complain of.
    """

    def __init__(
        self,
        operator: Operator,
        ports: int,
        directory: str,
        given: Iterable[Chunk] | None = None,
        where: str = "",
    ) -> None:
        self.where = where
        self.operator = operator
        self.given = given
        self.count = 0
        self.targets: list[tuple[Node, int]] = []
        self.outlet: Callable[[Chunk], None] | None = None
        self._directory = directory
        self._open = set(range(ports))
        self._decoders: dict[int, Decoder] = {}
        self._aside: dict[int, Aside] = {}
        self._over: set[int] = set()

    def feed_to(self, target: Node, port: int) -> None:
        self.targets.append((target, port))

    def start(self) -> None:
        """Take what was given."""
        if self.given is not None:
            for chunk in self.given:
                self.feed(0, chunk)
            self.end(0)

    def wanted(self) -> Collection[int]:
        """The ports that it wants to be fed next."""
        return self.operator.wanted(self._open) if self._open else ()

    def feed(self, port: int, chunk: Chunk) -> None:
        """Take bytes or records, whichever its operator takes."""
        if port in self.wanted():
            self._take(port, chunk)
        elif chunk:
            aside = self._aside.setdefault(port, Aside(self._directory))
            aside.put(chunk.encoded() if isinstance(chunk, Batch) else chunk)

    def _take(self, port: int, chunk: Chunk) -> None:
        operator = self.operator
        if isinstance(chunk, bytes) and operator.takes is Batch:
            chunk = self._made(self._decoder(port).feed, chunk)
        elif isinstance(chunk, Batch) and operator.takes is bytes:
            chunk = chunk.encoded()
        if chunk:
            self._hand(self._made(operator.feed, port, chunk))

    def end(self, port: int) -> None:
        """Nothing more comes there."""
        if port not in self.wanted():
            self._over.add(port)
            return
        if port in self._decoders:
            self._take(port, self._made(self._decoders[port].end))
        self._hand(self._made(self.operator.end, port))
        self._open.discard(port)
        if not self._open:
            self._hand(self._made(self.operator.close))
            for target, there in self.targets:
                target.end(there)
            return
        for other in list(self.wanted()):
            self._resume(other)

    def _resume(self, port: int) -> None:
        """What was laid aside is wanted now."""
        aside = self._aside.get(port)
        while aside is not None and aside.waits:
            self._take(port, aside.take())
        if port in self._over:
            self._over.discard(port)
            self.end(port)

    def tick(self) -> None:
        self._hand(self._made(self.operator.tick))

    def taken(self, port: int) -> int:
        """How many records have come there as bytes."""
        return self._decoders[port].count if port in self._decoders else 0

    def _made(self, make: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return make(*arguments)
        except ModuleError as error:
            if not self.where:
                raise
            raise ModuleError(f"{self.where}, {error}", shown=error.shown) from None

    def _decoder(self, port: int) -> Decoder:
        return self._decoders.setdefault(port, Decoder())

    def _hand(self, made: Any) -> None:
        """What an operator has made: in parts, so that nothing behind gets too much at once."""
        if isinstance(made, Batch):
            for part in made.parts():
                self.count += len(part)
                self._pass(part)
        elif isinstance(made, bytes):
            if made:
                self._pass(made)
        elif made is not None:
            for each in made:
                self._hand(each)

    def _pass(self, chunk: Chunk) -> None:
        for target, port in self.targets:
            target.feed(port, chunk)
        if self.outlet is not None:
            self.outlet(chunk)
