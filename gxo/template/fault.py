"""How an evaluation ends that cannot go on: a problem with its place."""

from gxo.diagnostic.base import Problem


class Fault(Exception):
    """An evaluation came upon `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.span}: {problem.message()}")
        self.problem = problem


class Failure(Exception):
    """A function cannot do what it was asked, for `reason` (in the words after "cannot …: ").

    `argument` counts from 0: the one to blame, where it is one.
    """

    def __init__(
        self, reason: str, *, argument: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.argument = argument
        self.hint = hint


class TooMuch(Exception):
    """A limit of gxo/template/limits.py was passed: `what` of which `limit`."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"more than {limit} {what}")
        self.what = what
        self.limit = limit
