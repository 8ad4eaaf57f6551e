"""Guard: what a service that has secrets is handed with them: its guard, and what that masks."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gxo.dataclass import dataclass, replace
from gxo.plan.codec import UnreadablePlan, from_json
from gxo.plan.scope import compile_scope
from gxo.runtime.redact import Redactor
from gxo.runtime.secrets import SecretError
from gxo.runtime.taint import TaintingTable
from gxo.template.functions import FUNCTIONS
from gxo.template.names import secrets
from gxo.template.value import Data
from gxo.units.command import read_exec

LONGEST = 1 << 20
"""Bytes that systemd hands over to a unit (systemd.exec(5), LoadCredential=)."""


@dataclass(frozen=True, slots=True)
class Handout:
    """What the program gets, `NAME=value` each and its standard input, and what is to be masked."""

    variables: tuple[str, ...]
    stdin: str | None
    forms: frozenset[bytes]

    @property
    def values(self) -> bytes:
        """All that the program gets, for telling one from another."""
        return _list(word.encode() for word in self.variables) + _part(_encoded(self.stdin))

    @property
    def handed(self) -> bytes:
        """What the unit's credential holds. Raises SecretError where that is too much."""
        guard, matcher = (_text(path) for path in ("shim/guard.py", "runtime/matcher.py"))
        whole = _part(guard) + _part(matcher) + _list(sorted(self.forms)) + self.values
        if len(whole) > LONGEST:
            raise SecretError(
                f"they take {len(whole)} bytes with all that is to be masked, and systemd hands"
                f" over no more than {LONGEST}"
            )
        return whole


def handout(
    recipe: Mapping[str, Any], workspace: str, secret: Callable[[str], str], redactor: Redactor
) -> Handout:
    """What the templates of a guarded service come to. Raises SecretError, without a secret in it.

    `secret` adds what it yields to the redactor.
    """
    try:
        plan = from_json(recipe)
    except UnreadablePlan as error:
        raise SecretError(f"{error}; `gxo apply` the playbook again") from None
    (step,) = plan.steps
    scope, _ = compile_scope(plan)
    table = TaintingTable(FUNCTIONS, {"secret": secret}, redactor=redactor)
    gxo: dict[str, Data] = {**scope.gxo, "workspace": {"path": workspace}}
    params = step.action.params
    found, problems = read_exec(params, replace(scope, gxo=gxo, functions=table), step.span)
    if found is None:
        said = "; ".join(dict.fromkeys(problem.message() for problem in problems))
        raise SecretError(redactor.text(said))
    hidden = {name.text for name, value in params.entries if secrets(value)}
    values = {
        name: tuple(str(setting.value) for setting in found.around if setting.name == name)
        for name in ("Environment", "StandardInputData")
    }
    variables = values["Environment"] if "environment" in hidden else ()
    stdin = next(iter(values["StandardInputData"]), None)
    return Handout(variables, stdin, redactor.forms)


def _text(path: str) -> bytes:
    return (Path(__file__).parent.parent / path).read_bytes()


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _part(data: bytes | None) -> bytes:
    return b"-1\n" if data is None else b"%d\n%b" % (len(data), data)


def _list(parts: Iterable[bytes]) -> bytes:
    return _part(b"".join(map(_part, parts)))
