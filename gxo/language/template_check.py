"""What can be told of a parsed template before it runs: functions, variables, depth, loops."""

from functools import partial

from gxo.language.template_tree import Flaw, flaw
from gxo.template.fault import Failure, TooMuch
from gxo.template.function import Function
from gxo.template.functions import FUNCTIONS
from gxo.template.limits import DEFAULT
from gxo.template.tree import (
    Assign,
    Break,
    Call,
    Chain,
    Constant,
    Continue,
    Expr,
    If,
    Item,
    Output,
    Path,
    Range,
    With,
)

_PATTERNS = frozenset({"regexMatch", "regexReplace"})


def check(nodes: tuple[Item, ...], text: str) -> list[Flaw]:
    """All flaws of a template's nodes, in order."""
    checker = _Checker(text)
    checker.block(nodes, (), 0, loops=False)
    return checker.flaws


class _Checker:
    """`known` are the variables in sight; `depth` counts blocks and expressions around."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.flaws: list[Flaw] = []
        self.deep = False

    def block(
        self, items: tuple[Item, ...], known: tuple[str, ...], depth: int, *, loops: bool
    ) -> None:
        for item in items:
            if isinstance(item, Output):
                self.expression(item.value, known, depth)
            elif isinstance(item, Assign):
                known = self.assign(item, known, depth)
            elif isinstance(item, If | With):
                self.branches(item, known, depth + 1, loops=loops)
            elif isinstance(item, Range):
                if self.too_deep(item, depth):
                    continue
                self.expression(item.over, known, depth)
                fresh = tuple(name for name in (item.key, item.item) if name)
                self.block(item.body, known + fresh, depth + 1, loops=True)
                self.block(item.otherwise, known, depth + 1, loops=loops)
            elif isinstance(item, Break | Continue) and not loops:
                self.outside_range(item)

    def branches(self, item: If | With, known: tuple[str, ...], depth: int, *, loops: bool) -> None:
        if self.too_deep(item, depth):
            return
        for branch in item.branches:
            self.expression(branch.condition, known, depth)
            if branch.variable is not None:
                known = (*known, branch.variable)
            self.block(branch.body, known, depth, loops=loops)
        self.block(item.otherwise, known, depth, loops=loops)

    def assign(self, item: Assign, known: tuple[str, ...], depth: int) -> tuple[str, ...]:
        self.expression(item.value, known, depth)
        if item.declares:
            return known if item.variable in known else (*known, item.variable)
        if item.variable not in known:
            start = self.text.index("$", item.start)
            self.unknown_variable(item.variable, start, start + len(item.variable), known)
        return known

    def expression(self, expr: Expr, known: tuple[str, ...], depth: int) -> None:
        if isinstance(expr, Path):
            if len(expr.base) > 1 and expr.base not in known:
                self.unknown_variable(expr.base, expr.start, expr.start + len(expr.base), known)
        elif isinstance(expr, Chain | Call):
            if self.too_deep(expr, depth):
                return
            if isinstance(expr, Chain):
                self.expression(expr.inner, known, depth + 1)
            else:
                self.call(expr, known, depth + 1)

    def call(self, call: Call, known: tuple[str, ...], depth: int) -> None:
        function = FUNCTIONS.get(call.function)
        if function is None:
            from gxo.diagnostic.template import UnknownFunction

            make = partial(
                UnknownFunction, name=call.function, known=tuple(FUNCTIONS), bare=not call.arguments
            )
            self.flaws.append(flaw(make, call.name_start, call.name_end))
        else:
            self.arguments(call, function)
        for argument in call.arguments:
            # `for x in y`: one problem says it, not one a word
            word = isinstance(argument, Call) and not argument.arguments
            if function is not None or not word:
                self.expression(argument, known, depth)

    def arguments(self, call: Call, function: Function) -> None:
        given = len(call.arguments)
        if given < function.least or (function.most is not None and given > function.most):
            from gxo.diagnostic.template import ArgumentCount

            make = partial(
                ArgumentCount,
                name=self.text[call.name_start : call.name_end],
                given=given,
                least=function.least,
                most=function.most,
                usage=function.usage,
            )
            self.flaws.append(flaw(make, call.name_start, call.name_end))
            return
        for index, argument in enumerate(call.arguments):
            if isinstance(argument, Constant):
                failure = function.param(index).refuses(argument.value)
                if failure is None and index == 0 and function.name in _PATTERNS:
                    failure = _pattern(str(argument.value))
                if failure is not None:
                    self.argument(call, argument, failure)

    def argument(self, call: Call, argument: Constant, failure: Failure) -> None:
        from gxo.diagnostic.template import ArgumentKind

        name = self.text[call.name_start : call.name_end]
        make = partial(ArgumentKind, name=name, reason=failure.reason, advice=failure.hint)
        self.flaws.append(flaw(make, argument.start, argument.end))

    def unknown_variable(self, name: str, start: int, end: int, known: tuple[str, ...]) -> None:
        from gxo.diagnostic.template import UnknownVariable

        self.flaws.append(flaw(partial(UnknownVariable, name=name, known=known), start, end))

    def outside_range(self, item: Break | Continue) -> None:
        from gxo.diagnostic.template import StrayWord

        word = "break" if isinstance(item, Break) else "continue"
        make = partial(StrayWord, word=word, reason="is not inside a `range`")
        self.flaws.append(flaw(make, item.start, item.end))

    def too_deep(self, node: Expr | Item, depth: int) -> bool:
        """Whether the walk must stop here; said once a template."""
        if depth < DEFAULT.depth:
            return False
        if not self.deep:
            from gxo.diagnostic.template import TemplateTooDeep

            self.deep = True
            make = partial(TemplateTooDeep, limit=DEFAULT.depth)
            self.flaws.append(flaw(make, node.start, node.end))
        return True


def _pattern(pattern: str) -> Failure | None:
    """Why a written regular expression cannot be used, or None."""
    from gxo.template.regex import program

    try:
        program(DEFAULT, pattern)
    except Failure as failure:
        return failure
    except TooMuch as much:
        return Failure(f"more than {much.limit} {much.what}")
    return None
