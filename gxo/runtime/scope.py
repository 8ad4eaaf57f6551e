"""Scope: what the templates of a run may read at a moment, and the effects they may call."""

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gxo.modules.moment import now, uuid
from gxo.plan.model import Plan
from gxo.plan.scope import Names
from gxo.runtime.redact import Redactor
from gxo.runtime.taint import TaintingTable
from gxo.template.evaluate import Scope
from gxo.template.fault import Failure
from gxo.template.function import FunctionTable
from gxo.template.functions import run_functions
from gxo.template.value import Data


class Scopes:
    """The scopes of one run. `registered` and `statuses` are the runner's own: they change.

    A var is evaluated once in a run, when it is first read.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        run: str,
        workspace: str,
        registered: Mapping[str, Data],
        statuses: Mapping[str, str],
        secret: Callable[[str], str],
        environment: Mapping[str, str],
        redactor: Redactor,
    ) -> None:
        self._registered = registered
        fixed: dict[str, Data] = {
            "workspace": {"path": workspace},
            "run": {"id": run},
            "playbook": {"name": plan.playbook.text},
        }
        self._gxo = _Gxo(fixed, statuses)
        self._functions = _functions(secret, environment, redactor)
        self._names = Names(dict(plan.inputs), plan.vars)

    def now(self, /, **own: Data) -> Scope:
        """The scope at this moment; `own` are the step's own names, such as a loop's variable."""

        def scope(*own: Mapping[str, Data]) -> Scope:
            layers: Any = (*own, self._registered, self._names)  # only read, never written
            names: Mapping[str, Data] = ChainMap(*layers)
            return Scope(names=names, gxo=self._gxo, functions=self._functions)

        self._names.scope = scope()
        return scope(own)


class _Gxo(Mapping[str, Data]):
    """What stands under `_gxo`. The statuses are copied only when read: each step moves one."""

    def __init__(self, fixed: Mapping[str, Data], statuses: Mapping[str, str]) -> None:
        self._fixed = fixed
        self._statuses = statuses

    def __getitem__(self, name: str) -> Data:
        if name == "workloads":
            return {each: {"status": str(status)} for each, status in self._statuses.items()}
        return self._fixed[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self._fixed, "workloads"))

    def __len__(self) -> int:
        return len(self._fixed) + 1


def _functions(
    secret: Callable[[str], str], environment: Mapping[str, str], redactor: Redactor
) -> FunctionTable:
    def env(name: str) -> str:
        if name not in environment:
            raise Failure(f"the environment has no `{name}`", argument=0)
        return environment[name]

    table = run_functions(secret=secret, env=env, now=now, uuid=uuid)
    return TaintingTable(table.functions, table.effects, redactor=redactor)
